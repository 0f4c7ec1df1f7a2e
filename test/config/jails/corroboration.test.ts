import { expect, it } from 'vitest';
import { resolveJails } from '../../../src/config/resolve.ts';
import type { ContainerSnapshot } from '../../../src/docker/snapshot.ts';
import { container } from '../container.ts';
import { treeOf } from '../tree.ts';

const builtin = { 'filter.d/web.conf': '[Definition]\nfailregex = ^<HOST>$\n' };
const published = (hostPort: number, hostAddress: string, protocol: 'tcp' | 'udp' = 'tcp') => ({
  protocol,
  hostAddress,
  hostPort,
  containerPort: hostPort,
});

function corroborationOf(
  labels: Record<string, string>,
  more: Partial<ContainerSnapshot> = {},
  files: Record<string, string> = {},
  others: readonly ContainerSnapshot[] = [],
): unknown {
  const containers = [container('web', { 'fail2ban.jail': 'web', ...labels }, more), ...others];
  return resolveJails({
    tree: treeOf(files, builtin),
    containers,
    compileFilter: () => undefined,
  }).jails.find(({ name }) => name === 'web')!.corroboration;
}

const on = { ports: [expect.objectContaining({ first: 80 }), expect.objectContaining({ first: 443 })] };

it('is on for published ports, and with `on` wherever there are ports', () => {
  expect(corroborationOf({})).toEqual(on);
  expect(corroborationOf({ 'fail2ban.corroborate': 'on' })).toEqual(on);
  expect(corroborationOf({ 'fail2ban.corroborate': 'off' })).toEqual({ off: 'corroborate = off' });
  const ownHost = { publishedPorts: [published(8080, '127.0.0.1')] };
  expect(corroborationOf({}, ownHost)).toEqual({ off: expect.stringContaining('to this host alone') });
  expect(corroborationOf({ 'fail2ban.corroborate': 'on' }, ownHost)).toEqual({
    ports: [expect.objectContaining({ first: 8080 })],
  });
});

it.each<[string, Partial<ContainerSnapshot>, Record<string, string>]>([
  ['closes all ports', {}, { 'jail.local': '[web]\nport = all\n' }],
  ['no TCP port', { publishedPorts: [published(53, '0.0.0.0', 'udp')] }, {}],
])('is off where it %s', (reason, more, files) => {
  expect(corroborationOf({}, more, files)).toEqual({ off: expect.stringContaining(reason) });
});

it('is off while a container of the jail publishes nothing: its clients come by another way', () => {
  const hidden = container('hidden', { 'fail2ban.jail': 'web' }, { publishedPorts: [] });
  expect(corroborationOf({}, {}, {}, [hidden])).toEqual({
    off: expect.stringContaining('publishes no port'),
  });
});

it('is on for a service of the host whose ports the files name', () => {
  const tree = treeOf(
    {
      'jail.local':
        '[web]\nenabled = true\nport = 22\nlogpath = /var/log/auth.log\naction = iptables-multiport[port="%(port)s"]\n',
    },
    builtin,
  );
  const { jails } = resolveJails({ tree, containers: [], compileFilter: () => undefined });
  expect(jails[0]!.corroboration).toEqual({ ports: [expect.objectContaining({ first: 22 })] });
});
