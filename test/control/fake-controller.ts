import type { JailStatus } from '../../src/control/api.ts';
import type { Controller } from '../../src/control/controller.ts';
import { FakeLive } from './fake-live.ts';
import { FakeViews } from './fake-views.ts';

export const nginxProxy: JailStatus = {
  jail: 'nginx-proxy',
  currentlyFailed: 1,
  totalFailed: 20,
  sources: ['/var/log/syslog'],
  containers: ['nginx-proxy'],
  ports: ['80/tcp', '443/tcp'],
  corroboration: 'on',
  currentlyBanned: 1,
  totalBanned: 4,
  banned: [{ ip: '20.247.234.38', since: '2026-11-22T13:44:53.000Z', until: '2026-11-22T13:54:53.000Z' }],
};

/** A controller with one jail, `nginx-proxy`, that bans anything but 127.0.0.1. */
export function fakeController(): Controller & {
  readonly bans: Set<string>;
  readonly live: FakeLive;
  readonly views: FakeViews;
} {
  const bans = new Set(['20.247.234.38']);
  return {
    bans,
    live: new FakeLive('nginx-proxy'),
    views: new FakeViews(),
    status: () => ({
      version: '0.1.0',
      docker: { connected: true, version: '20.10.24' },
      firewall: { backend: 'docker-user', healthy: true, troubles: [] },
      unhealthy: [],
      jails: ['nginx-proxy'],
      sources: [],
    }),
    jail: (name) => (name === 'nginx-proxy' ? nginxProxy : undefined),
    banned: () => ({ 'nginx-proxy': [...bans] }),
    ban: async (jail, ips) => {
      if (jail !== 'nginx-proxy') return undefined;
      const refused = ips.filter((ip) => ip === '127.0.0.1').map((ip) => ({ ip, reason: 'it is loopback' }));
      const fresh = ips.filter((ip) => ip !== '127.0.0.1' && !bans.has(ip));
      for (const ip of fresh) bans.add(ip);
      return { count: fresh.length, refused };
    },
    unban: async (jail, ips) => {
      if (jail !== undefined && jail !== 'nginx-proxy') return undefined;
      const gone = (ips.length > 0 ? ips : [...bans]).filter((ip) => bans.delete(ip));
      return { count: gone.length, refused: [] };
    },
  };
}
