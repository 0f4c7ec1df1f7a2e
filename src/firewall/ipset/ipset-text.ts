import { canonicalPrefix, type Family } from '../../net/address.ts';
import { allSet } from '../bans/set-names.ts';
import { secondsLeft } from '../bans/timeouts.ts';

/** The longest timeout ipset takes, in seconds: 24.8 days. Longer bans are armed again before it ends. */
export const longestTimeout = 2_147_483;

/** Far above what memory allows, since the kernel's own default (65,536) loses bans. A set takes memory only for what it holds. */
export const mostElements = 16_777_216;

/** A set as `ipset list -t` describes it. */
export interface SetHeader {
  readonly type: string;
  readonly options: string;
  /** Without those whose timeout has passed. */
  readonly entries: number;
}

/** A set of this type holds addresses and prefixes; of those that hold an address, the ones whose timeout has passed don't count. */
export function createLine(set: string, family: Family): string {
  return `create ${set} hash:net ${familyOption(family)} maxelem ${mostElements} timeout 0`;
}

/** @param timeout seconds; 0 is for ever */
export function addLine(set: string, ip: string, timeout: number): string {
  return `add ${set} ${ip} timeout ${timeout}`;
}

export function delLine(set: string, ip: string): string {
  return `del ${set} ${ip}`;
}

/** The seconds that a ban is given in a set, 0 for ever. */
export function timeoutFor(until: number | undefined, now: number): number {
  return secondsLeft(until, now, longestTimeout);
}

/** Lines that put a set with these members into the place of another of the same type, which rules may refer to, in one moment. */
export function replacementLines(
  set: string,
  family: Family,
  members: Iterable<readonly [ip: string, timeout: number]>,
): string[] {
  // No jail's set is named so: a plus sign would have been replaced.
  const interim = `${allSet(family)}-+`;
  return [
    createLine(interim, family),
    `flush ${interim}`,
    ...Array.from(members, ([ip, timeout]) => addLine(interim, ip, timeout)),
    `swap ${interim} ${set}`,
    `destroy ${interim}`,
  ];
}

/** Whether a set is like one that `createLine` makes, but perhaps with room for less. */
export function isOurs(header: SetHeader, family: Family): boolean {
  // Without the limit, and without what the kernel sets as the set grows.
  const shape = header.options.replaceAll(/ (?:hashsize|maxelem|bucketsize|initval) \S+/g, '');
  return header.type === 'hash:net' && shape === `${familyOption(family)} timeout 0`;
}

/** Whether a set takes fewer members than `createLine` asks for. */
export function isSmall({ options }: SetHeader): boolean {
  return Number(/ maxelem (\d+)/.exec(options)?.[1] ?? 0) < mostElements;
}

function familyOption(family: Family): string {
  return `family ${family === 4 ? 'inet' : 'inet6'}`;
}

/** Parses `ipset list -t`. */
export function parseHeaders(text: string): Map<string, SetHeader> {
  const headers = new Map<string, SetHeader>();
  for (const block of text.split('\n\n')) {
    const fields = new Map(
      block.split('\n').map((line) => {
        const colon = line.indexOf(': ');
        return [line.slice(0, colon), line.slice(colon + 2)] as const;
      }),
    );
    const name = fields.get('Name');
    if (name === undefined) continue;
    headers.set(name, {
      type: fields.get('Type') ?? '',
      options: fields.get('Header') ?? '',
      entries: Number(fields.get('Number of entries') ?? 0),
    });
  }
  return headers;
}

/** Parses the `add` lines of `ipset save SET`: canonical address or prefix, and seconds left, 0 for ever. */
export function* parseMembers(text: string): Generator<[ip: string, timeout: number]> {
  let end = 0;
  for (let start = 0; start < text.length; start = end + 1) {
    end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    const [verb, , ip, , timeout] = text.slice(start, end).split(' ');
    if (verb !== 'add' || ip === undefined) continue;
    // The C library writes some IPv6 addresses with a dotted tail; RFC 5952's form has none.
    const canonical = ip.includes(':') && ip.includes('.') ? canonicalPrefix(ip) : ip;
    if (canonical !== undefined) yield [canonical, Number(timeout ?? 0)];
  }
}
