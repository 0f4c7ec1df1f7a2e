import { canonicalAddress, type Family } from '../address.ts';

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

export function createLine(set: string, family: Family): string {
  return `create ${set} hash:ip ${shape(family)}`;
}

/** @param timeout seconds; 0 is for ever */
export function addLine(set: string, ip: string, timeout: number): string {
  return `add ${set} ${ip} timeout ${timeout}`;
}

export function delLine(set: string, ip: string): string {
  return `del ${set} ${ip}`;
}

/** The seconds that a ban is given in the kernel. It ends there up to a second late, never early. */
export function timeoutFor(until: number | undefined, now: number): number {
  return until === undefined ? 0 : Math.min(Math.max(Math.ceil((until - now) / 1000), 1), longestTimeout);
}

/** Whether a set is one that `createLine` makes. Left out are the options that the kernel sets as it grows. */
export function isOurs({ type, options }: SetHeader, family: Family): boolean {
  return (
    type === 'hash:ip' && options.replaceAll(/ (?:hashsize|bucketsize|initval) \S+/g, '') === shape(family)
  );
}

function shape(family: Family): string {
  return `family ${family === 4 ? 'inet' : 'inet6'} maxelem ${mostElements} timeout 0`;
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

/** Parses the `add` lines of `ipset save SET`: canonical address → seconds left, 0 for ever. */
export function parseMembers(text: string): Map<string, number> {
  const members = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [verb, , ip, , timeout] = line.split(' ');
    if (verb !== 'add' || ip === undefined) continue;
    // The C library writes some IPv6 addresses with a dotted tail; RFC 5952's form has none.
    const address = ip.includes(':') && ip.includes('.') ? canonicalAddress(ip) : ip;
    if (address !== undefined) members.set(address, Number(timeout ?? 0));
  }
  return members;
}
