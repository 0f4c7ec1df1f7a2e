import { attemptRequest, editRequest, reloadRequest } from './live-requests.ts';
import { ofJail, type Route } from './route.ts';

/** Changes of jails while they run. */
export const liveRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: /^\/reload$/,
    answer: async ({ live }, call) => {
      const { jail, restart } = await call.body(reloadRequest);
      return ofJail(jail ?? '', await live.reload(jail, restart));
    },
  },
  {
    method: 'GET',
    path: /^\/jails\/([^/]+)\/options$/,
    answer: ({ live }, { params: [jail = ''] }) => ofJail(jail, live.options(jail)),
  },
  {
    method: 'PATCH',
    path: /^\/jails\/([^/]+)\/options$/,
    answer: async ({ live }, { params: [jail = ''], body }) =>
      ofJail(jail, await live.edit(jail, await body(editRequest))),
  },
  {
    method: 'POST',
    path: /^\/jails\/([^/]+)\/start$/,
    answer: async ({ live }, { params: [jail = ''] }) => ofJail(jail, done(await live.start(jail))),
  },
  {
    method: 'POST',
    path: /^\/jails\/([^/]+)\/stop$/,
    answer: async ({ live }, { params: [jail = ''] }) => ofJail(jail, done(await live.stop(jail))),
  },
  {
    method: 'POST',
    path: /^\/jails\/([^/]+)\/attempts$/,
    answer: async ({ live }, { params: [jail = ''], body }) => {
      const { ips, lines } = await body(attemptRequest);
      return ofJail(jail, await live.attempt(jail, ips, lines));
    },
  },
];

/** False stands for a jail that doesn't exist. */
function done(known: boolean): Record<string, never> | undefined {
  return known ? {} : undefined;
}
