import { describe, expect, it } from 'vitest';
import { readAccess } from '../../../src/config/labels/access.ts';
import type { ContainerSnapshot, NetworkSnapshot } from '../../../src/docker/snapshot.ts';
import { container } from '../container.ts';

const lan: NetworkSnapshot = {
  name: 'lan',
  driver: 'macvlan',
  subnets: ['192.0.2.0/24'],
  gateways: ['192.0.2.1'],
  parent: 'eth0.50',
};
const front: NetworkSnapshot = { name: 'front', driver: 'bridge', subnets: [], gateways: [] };
const onLan = {
  networks: ['lan'],
  addresses: { lan: ['192.0.2.200', '2001:db8:0::C8'] },
  publishedPorts: [],
};
const addresses = ['192.0.2.200', '2001:db8::c8'];

function read(
  more: Partial<ContainerSnapshot>,
  labels: Record<string, string> = {},
  network: NetworkSnapshot = lan,
) {
  const tv = container('tv', { 'fail2ban.allowfrom': '192.0.2.0/28', ...labels }, more);
  const { access, problems } = readAccess(tv, [front, network]);
  return { access, problems: problems.map(({ severity, message }) => `${severity} ${message}`) };
}

describe('who gets to a container that stands in the local network by itself', () => {
  it.each(['macvlan', 'ipvlan'])('is settled for all connections to its addresses (%s)', (driver) => {
    const { access, problems } = read(onLan, {}, { ...lan, driver });
    expect(access).toEqual({
      container: 'tv',
      closes: [],
      direct: [{ parent: 'eth0.50', addresses, closes: 'all' }],
      allow: ['192.0.2.0/28'],
      deny: [],
    });
    expect(problems).toEqual([
      expect.stringMatching(/^info .*by eth0\.50, .*only TCP connections are refused$/),
    ]);
  });

  it('is settled for all packets to the ports that its label names', () => {
    const { access, problems } = read(onLan, { 'fail2ban.port': '80,53/udp' });
    expect(access).toMatchObject({
      closes: [],
      direct: [
        {
          closes: [
            { protocol: 'tcp', first: 80 },
            { protocol: 'udp', first: 53 },
          ],
        },
      ],
    });
    expect(problems).toEqual([]);
  });

  it('is settled for everything where its ports can not be read', () => {
    const { access, problems } = read(onLan, { 'fail2ban.port': 'eighty' });
    expect(access).toMatchObject({ direct: [{ closes: 'all' }] });
    expect(problems[0]).toMatch(/^warn its ports can't be read, so everything is closed/);
  });

  it('goes together with ports that it publishes besides', () => {
    const { publishedPorts } = container('tv', {});
    const { access } = read({ ...onLan, networks: ['front', 'lan'], publishedPorts });
    expect(access).toMatchObject({
      closes: [{ first: 80 }, { first: 443 }],
      direct: [{ parent: 'eth0.50' }],
    });
  });

  const { parent: _, ...orphan } = lan;
  it.each([
    ['has no parent', onLan, orphan, 'it names no parent interface'],
    ['has a parent of a strange name', onLan, { ...lan, parent: 'a" ; }' }, 'it names no parent interface'],
    ['tells no address', { ...onLan, addresses: {} }, lan, 'the engine tells no address of the container'],
  ])('can not be enforced on a network that %s: that is told once', (__, more, network, why) => {
    const { access, problems } = read(more, {}, network);
    expect(access).toBeUndefined();
    expect(problems).toEqual([expect.stringContaining(`warn it is open to everyone on network lan`)]);
    expect(problems[0]).toContain(why);
  });

  it('says nothing of a container on other networks', () => {
    expect(read({ networks: ['front'] }).access).not.toHaveProperty('direct');
  });
});
