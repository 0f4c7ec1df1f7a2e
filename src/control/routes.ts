import type { z } from 'zod';
import { Dock2banError } from '../errors.ts';
import type { Controller } from './controller.ts';
import {
  addressOf,
  attemptRequest,
  banRequest,
  editRequest,
  eventQuery,
  importable,
  importRequest,
  reloadRequest,
  unbanRequest,
} from './requests.ts';
import { eventStream, exportStream } from './stream.ts';

/** One request, as a route sees it. */
export interface Call {
  /** What the path has for the template's `{name}`, decoded; empty: the template has none. */
  readonly named: string;
  readonly query: URLSearchParams;
  /** @param name in lower case */
  readonly header: (name: string) => string | undefined;
  /** @throws Dock2banError `invalid-request`, `too-large` */
  readonly body: <Schema extends z.ZodType>(schema: Schema) => Promise<z.infer<Schema>>;
}

/** One resource of the control interface, and a method on it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** The path after the version, as docs/api.md has it: `/jails/{jail}/options`. */
  readonly path: string;
  /** @returns the body of a 200, or a StreamReply  @throws Dock2banError, whose code decides the status */
  readonly answer: (controller: Controller, call: Call) => unknown;
}

/** Every resource. `docs/api.md` describes each. */
export const routes: readonly Route[] = [
  route('GET', '/status', (controller) => controller.status()),
  route('GET', '/jails/{jail}', (controller, { named }) => known(named, controller.jail(named))),
  route('GET', '/bans', (controller) => controller.banned()),
  taking('POST', '/bans', banRequest, async (controller, { jail, ips }) =>
    known(jail, await controller.ban(jail, ips)),
  ),
  taking('POST', '/unbans', unbanRequest, async (controller, { jail, ips }) =>
    known(jail, await controller.unban(jail, ips)),
  ),

  taking('POST', '/reload', reloadRequest, async ({ live }, { jail, restart }) =>
    known(jail, await live.reload(jail, restart)),
  ),
  route('GET', '/jails/{jail}/options', ({ live }, { named }) => known(named, live.options(named))),
  taking('PATCH', '/jails/{jail}/options', editRequest, async ({ live }, edit, jail) =>
    known(jail, await live.edit(jail, edit)),
  ),
  route('POST', '/jails/{jail}/start', async ({ live }, { named }) => done(named, await live.start(named))),
  route('POST', '/jails/{jail}/stop', async ({ live }, { named }) => done(named, await live.stop(named))),
  taking('POST', '/jails/{jail}/attempts', attemptRequest, async ({ live }, { ips, lines }, jail) =>
    known(jail, await live.attempt(jail, ips, lines)),
  ),

  route('GET', '/events', ({ views }, { query, header }) =>
    eventStream(views.events, eventQuery(query, header('last-event-id'))),
  ),
  route('GET', '/stats', ({ views }) => views.stats()),
  route('GET', '/why/{ip}', ({ views }, { named }) => views.why(addressOf(named))),
  route('GET', '/export', ({ views }) => exportStream(views)),
  taking('POST', '/import', importRequest, async ({ views }, request) => {
    const { bans, skipped } = importable(request.bans);
    return { ...(await views.import(bans)), skipped };
  }),
];

function route(method: Route['method'], path: string, answer: Route['answer']): Route {
  return { method, path, answer };
}

/** A route that takes a body. */
function taking<Schema extends z.ZodType>(
  method: Route['method'],
  path: string,
  schema: Schema,
  answer: (controller: Controller, request: z.infer<Schema>, named: string) => unknown,
): Route {
  return route(method, path, async (controller, { body, named }) =>
    answer(controller, await body(schema), named),
  );
}

/** What is known of a jail. @throws Dock2banError `no-such-jail` */
function known<Found>(jail: string | undefined, found: Found | undefined): Found {
  if (found !== undefined) return found;
  throw new Dock2banError('no-such-jail', `Sorry but the jail '${jail ?? ''}' does not exist`);
}

/** @throws Dock2banError `no-such-jail` */
function done(jail: string, isKnown: boolean): object {
  return known(jail, isKnown ? {} : undefined);
}

/** Matches the paths of a template; what is in the place of `{ip}` may be a prefix with its slash as it is. */
export function patternOf(template: string): RegExp {
  const source = template.replace('{ip}', String.raw`([^/]+(?:/\d+)?)`).replace('{jail}', '([^/]+)');
  return new RegExp(`^${source}$`);
}
