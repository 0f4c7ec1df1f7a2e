import { describe, expect, it } from 'vitest';
import { resolveJails } from '../../../src/config/resolve.ts';
import type { ContainerSnapshot, NetworkSnapshot } from '../../../src/docker/snapshot.ts';
import { container } from '../container.ts';
import { treeOf } from '../tree.ts';

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
const both = { networks: ['front', 'lan'], addresses: { ...onLan.addresses, front: ['172.18.0.2'] } };
const everything = [{ parent: 'eth0.50', addresses: ['192.0.2.200', '2001:db8::c8'], closes: 'all' }];
const port = (first: number) => ({ protocol: 'tcp', first, last: first, hostAddress: undefined });

function resolve(more: Partial<ContainerSnapshot>, labels: Record<string, string> = {}, network = lan) {
  const { jails, problems } = resolveJails({
    tree: treeOf({}, { 'filter.d/web.conf': '[Definition]\nfailregex = ^<HOST>\n' }),
    containers: [container('tv', { 'fail2ban.jail': 'web', ...labels }, more)],
    networks: [front, network],
    compileFilter: () => undefined,
  });
  return { jail: jails[0]!, warnings: problems.filter(({ severity }) => severity === 'warn') };
}

describe('what a ban closes of a container that stands in the local network by itself', () => {
  it('is all of its addresses, since nothing is published there', () => {
    const { jail, warnings } = resolve(onLan);
    expect(jail).toMatchObject({ closes: [], direct: everything });
    expect(warnings).toEqual([]);
  });

  it.each(['macvlan', 'ipvlan'])(
    'is the ports that its label names, of the container and not of the host (%s)',
    (driver) => {
      const { jail, warnings } = resolve(onLan, { 'fail2ban.port': '80' }, { ...lan, driver });
      expect(jail).toMatchObject({ closes: [], direct: [{ closes: [port(80)] }] });
      expect(warnings).toEqual([]);
    },
  );

  it('is everything of it, and nothing of the host, with fail2ban.port=all', () => {
    expect(resolve(onLan, { 'fail2ban.port': 'all' }).jail).toMatchObject({
      closes: [],
      direct: everything,
    });
  });

  it('is what it publishes from another network, too', () => {
    expect(resolve(both).jail).toMatchObject({ closes: [port(80), port(443)], direct: everything });
    const named = resolve(both, { 'fail2ban.port': '443' }).jail;
    expect(named).toMatchObject({ closes: [port(443)], direct: [{ closes: [port(443)] }] });
  });

  it.each([
    ['no parent', { parent: undefined }],
    ['a parent that no interface can be named', { parent: 'eth0" ; flush ruleset' }],
    ['a parent whose name is too long', { parent: 'abcdefghijklmnop' }],
  ])('is nothing with %s, which is said', (_, { parent }) => {
    const { parent: _parent, ...rest } = lan;
    const network = parent === undefined ? rest : { ...rest, parent };
    const { jail, warnings } = resolve(onLan, {}, network);
    expect(jail.direct).toBeUndefined();
    expect(warnings.map(({ where }) => where)).toEqual([
      'container tv, label fail2ban.jail=web',
      'container tv, network lan',
    ]);
  });

  it('is nothing as long as the engine tells no address, or one that is none', () => {
    for (const addresses of [{}, { lan: [''] }, { lan: ['192.0.2.1; drop'] }]) {
      const { jail, warnings } = resolve({ ...onLan, addresses });
      expect(jail.direct).toBeUndefined();
      expect(warnings.at(-1)).toMatchObject({ where: 'container tv, network lan' });
    }
  });

  it('leaves a container of a bridge alone', () => {
    expect(
      resolve({ networks: ['front'], addresses: { front: ['172.18.0.2'] } }).jail.direct,
    ).toBeUndefined();
  });
});
