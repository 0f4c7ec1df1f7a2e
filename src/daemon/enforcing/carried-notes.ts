import { isIP } from 'node:net';
import * as z from 'zod';
import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { ClosedPort } from '../../config/jail-spec.ts';
import type { Definer, Definers } from '../../config/jails/jail-definer.ts';
import { isJailOption } from '../../config/options/jail-options.ts';
import { isBelievable } from '../../docker/network-snapshot.ts';
import type { NetworkSnapshot } from '../../docker/snapshot.ts';
import type { GuardedJail } from '../../firewall/firewall.ts';
import { canonicalAddress, canonicalPrefix } from '../../net/address.ts';
import { prefixCover } from '../../net/prefix-cover.ts';
import type { Store } from '../../store/store.ts';

/** What each run leaves to the next, to be in force before Docker answers. Anybody may have edited the file: entries that can't be read are left out. */
export class CarriedNotes {
  readonly #notes: Store['notes'];
  /** Each note as last written. */
  readonly #written = new Map<string, string>();

  constructor(notes: Store['notes']) {
    this.#notes = notes;
  }

  /** What the jails close. */
  get jails(): readonly GuardedJail[] {
    return readGuardedJails(this.#notes.get('guarded-jails'));
  }

  set jails(jails: readonly GuardedJail[]) {
    this.#write('guarded-jails', jails);
  }

  /** Who may reach which container. */
  get access(): readonly AccessSpec[] {
    return readAccesses(this.#notes.get('access'));
  }

  set access(access: readonly AccessSpec[]) {
    this.#write('access', access);
  }

  /** Docker's networks: their containers must never be cut off, not even before Docker has answered. */
  get networks(): readonly NetworkSnapshot[] {
    return readNetworks(this.#notes.get('docker-networks'));
  }

  set networks(networks: readonly NetworkSnapshot[]) {
    this.#write('docker-networks', networks);
  }

  /** Whose labels define which jail, so that a restart doesn't hand it to whichever container comes first. */
  get definers(): Definers {
    return new Map(entriesOf(definer, this.#notes.get('jail-definers')));
  }

  set definers(definers: Definers) {
    const plain = [...definers].map(([jail, { container, labels }]) => [
      jail,
      container,
      [...labels].map(([option, { name, value }]) => [option, name, value]),
    ]);
    this.#write('jail-definers', plain);
  }

  #write(name: string, value: unknown): void {
    const text = JSON.stringify(value);
    if (text === this.#written.get(name)) return;
    this.#written.set(name, text);
    this.#notes.set(name, text);
  }
}

const text = z.string();
const address = text.refine((value) => canonicalAddress(value) === value);
const prefix = text.refine((value) => canonicalPrefix(value) === value);
const port = z.int().min(1).max(65_535);

const closedPort = z
  .object({
    protocol: z.enum(['tcp', 'udp', 'sctp']),
    first: port,
    last: port,
    hostAddress: text.refine((value) => isIP(value) > 0).optional(),
  })
  .refine(({ first, last }) => first <= last)
  .transform(({ hostAddress, ...rest }): ClosedPort => ({ ...rest, hostAddress }));

const closes = z.union([z.literal('all'), salvaged(closedPort)]);

const directPath = z.object({
  parent: text.regex(/^[\w.-]{1,15}$/),
  addresses: salvaged(address).refine((addresses) => addresses.length > 0),
  closes,
});

const direct = salvaged(directPath).optional();

const watch = z
  .object({ ports: salvaged(closedPort), seconds: z.int().min(1).max(86_400) })
  .optional()
  .catch(undefined);

const guardedJail = z
  .object({ name: text, closes, blocktype: z.enum(['drop', 'reject']).catch('drop'), direct, watch })
  .transform(({ direct: paths, watch: watched, ...jail }): GuardedJail => ({
    ...jail,
    ...(paths && { direct: paths }),
    ...(watched && { watch: watched }),
  }));

const access = z
  .object({
    container: text,
    closes: salvaged(closedPort),
    // An allow list: an entry that can't be read shuts out that one address only.
    allow: salvaged(prefix).optional(),
    deny: salvaged(prefix).catch([]),
    awaited: z.literal(true).optional().catch(undefined),
    direct,
  })
  .transform(({ container, closes: ports, allow, deny, awaited, direct: paths }): AccessSpec => ({
    container,
    closes: ports,
    allow: allow && prefixCover(allow),
    deny: prefixCover(deny),
    ...(awaited && { awaited }),
    ...(paths && { direct: paths }),
  }));

const network = z.object({
  name: text,
  driver: text,
  subnets: salvaged(text.refine(isBelievable)),
  gateways: salvaged(address),
});

const definer = z
  .tuple([text, text, z.array(z.tuple([text.refine(isJailOption), text, text]))])
  .transform(([jail, container, labels]): [string, Definer] => {
    const options = labels.map(([option, name, value]) => [option, { name, value }] as const);
    return [jail, { container, labels: new Map(options) }];
  });

export function readGuardedJails(note: string | undefined): readonly GuardedJail[] {
  return entriesOf(guardedJail, note);
}

export function readAccesses(note: string | undefined): readonly AccessSpec[] {
  return entriesOf(access, note);
}

export function readNetworks(note: string | undefined): readonly NetworkSnapshot[] {
  return entriesOf(network, note);
}

/** A list whose entries are validated one by one: those that can't be read are left out. */
function salvaged<Entry>(entry: z.ZodType<Entry>) {
  return z.array(z.unknown()).transform((all) =>
    all.flatMap((each): Entry[] => {
      const { success, data } = entry.safeParse(each);
      return success ? [data] : [];
    }),
  );
}

function entriesOf<Entry>(entry: z.ZodType<Entry>, note = '[]'): readonly Entry[] {
  try {
    return salvaged(entry).parse(JSON.parse(note));
  } catch {
    return [];
  }
}
