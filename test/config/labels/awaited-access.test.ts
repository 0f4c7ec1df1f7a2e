import { describe, expect, it } from 'vitest';
import { awaitedAccess } from '../../../src/config/labels/awaited-access.ts';
import { readAccess } from '../../../src/config/labels/access.ts';
import type { AwaitedContainer } from '../../../src/docker/snapshot.ts';
import { container } from '../container.ts';

const awaited = (labels: Record<string, string>, more: Partial<AwaitedContainer> = {}): AwaitedContainer => ({
  ...container('web', labels),
  hasUnknownPorts: false,
  ...more,
});
const allow = { 'fail2ban.allowfrom': '192.0.2.0/24' };

describe('who will get to a container that does not run', () => {
  it('is known by its labels and the ports that it will publish', () => {
    const running = readAccess(container('web', allow)).access;
    expect(awaitedAccess([awaited(allow)], [])).toEqual({
      access: [{ ...running, awaited: true }],
      problems: [],
    });
  });

  it('is left to the labels of the one that is known to run', () => {
    const running = readAccess(container('web', allow)).access!;
    expect(awaitedAccess([awaited(allow)], [running])).toEqual({ access: [], problems: [] });
  });

  it.each([
    ['the ports are those of the host', awaited({ ...allow, 'fail2ban.port': '80' }, { hostNetwork: true })],
    ['it will publish nothing', awaited(allow, { publishedPorts: [] })],
  ])('is not told before if %s', (_, each) => {
    expect(awaitedAccess([each], [])).toEqual({ access: [], problems: [] });
  });

  it('is nobody with a label that can not be read: of what is wrong with it, its start tells', () => {
    const { access, problems } = awaitedAccess([awaited({ 'fail2ban.allowfrom': 'nonsense' })], []);
    expect(access).toMatchObject([{ container: 'web', allow: [], awaited: true }]);
    expect(problems).toEqual([]);
  });

  it('is everyone at ports that Docker chooses at the start: that is told', () => {
    const { access, problems } = awaitedAccess([awaited(allow, { hasUnknownPorts: true })], []);
    expect(access).toHaveLength(1);
    expect(problems).toMatchObject([
      {
        severity: 'info',
        where: 'container web, label fail2ban.allowfrom=192.0.2.0/24',
        message: expect.stringContaining('open to everyone for a moment'),
        fix: 'publish fixed ports, such as 8080:80',
      },
    ]);
  });
});
