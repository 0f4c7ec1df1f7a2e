import { describe, expect, it } from 'vitest';
import type { AccessSpec } from '../../../src/config/labels/access-spec.ts';
import { checkAccess } from '../../../src/doctor/checks/check-access.ts';
import { checkJails } from '../../../src/doctor/checks/check-containers.ts';
import type { ControllerView } from '../../../src/doctor/facts/controller-view.ts';

const web: AccessSpec = {
  container: 'web',
  closes: [{ protocol: 'tcp', first: 80, last: 80, hostAddress: undefined }],
  allow: ['192.0.2.0/24'],
  deny: ['192.0.2.7'],
};
const view = (containers: readonly string[] | undefined, backend = 'docker-user'): ControllerView => ({
  status: {
    version: '0',
    docker: { connected: true },
    firewall: { backend, healthy: true },
    jails: [],
    ...(containers && { access: containers.map((container) => ({ container })) }),
  },
});

describe('who gets to which container', () => {
  it('is told, and over which family nobody does', () => {
    expect(
      checkAccess([web, { ...web, container: 'b', allow: undefined }], view(['web', 'b'])),
    ).toMatchObject([
      {
        severity: 'ok',
        what: 'by label: web: 80/tcp closed to 192.0.2.7, open only to 192.0.2.0/24 (no IPv6 address is allowed, so IPv6 is closed); b: 80/tcp closed to 192.0.2.7',
      },
    ]);
  });

  it.each([[[]], [undefined]])('is an error if the controller does not know of it: %j', (known) => {
    expect(checkAccess([web], view(known))).toMatchObject([
      { severity: 'error', consequence: 'their published ports are open to everyone' },
    ]);
  });

  it('is nothing to be told where nothing is asked for or enforced', () => {
    expect(checkAccess([], view([]))).toEqual([]);
    expect(checkAccess([web], view(['web'], 'none'))).toEqual([]);
  });

  it('is something that is guarded, even without a jail', () => {
    expect(checkJails({ jails: [], problems: [], access: [web] }, [])).toEqual([]);
    expect(checkJails({ jails: [], problems: [] }, [])).toMatchObject([{ severity: 'warning' }]);
  });

  it('tells of a bad label what follows from it', () => {
    const where = 'container web, label fail2ban.allowfrom=office';
    const problem = { severity: 'warn', where, message: 'm', fix: 'f' } as const;
    expect(checkJails({ jails: [], problems: [problem], access: [web] }, [])).toMatchObject([
      { severity: 'warning', consequence: 'its ports may be open or closed to others than was meant' },
    ]);
  });
});
