import { banRequest, unbanRequest } from './requests.ts';
import { ofJail, type Route } from './route.ts';

/** What jails do, and bans by hand. */
export const banRoutes: readonly Route[] = [
  { method: 'GET', path: /^\/status$/, answer: (controller) => controller.status() },
  {
    method: 'GET',
    path: /^\/jails\/([^/]+)$/,
    answer: (controller, { params: [jail = ''] }) => ofJail(jail, controller.jail(jail)),
  },
  { method: 'GET', path: /^\/bans$/, answer: (controller) => controller.banned() },
  {
    method: 'POST',
    path: /^\/bans$/,
    answer: async (controller, call) => {
      const { jail, ips } = await call.body(banRequest);
      return ofJail(jail, await controller.ban(jail, ips));
    },
  },
  {
    method: 'POST',
    path: /^\/unbans$/,
    answer: async (controller, call) => {
      const { jail, ips } = await call.body(unbanRequest);
      return ofJail(jail ?? '', await controller.unban(jail, ips));
    },
  },
];
