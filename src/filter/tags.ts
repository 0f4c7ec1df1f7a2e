import { cutMark } from './lines/cut-text.ts';

/** A failregex with fail2ban's tags replaced by expressions. */
export interface ResolvedTags {
  readonly source: string;
  /** The offset in the original that an offset in `source` comes from. */
  readonly origin: (offset: number) => number;
}

/** The name of the groups that `<CUT>` stands for begins so. */
export const cutGroup = 'cutmark';

const ip4 = String.raw`(?:\d{1,3}\.){3}\d{1,3}`;
// One to four digits. Counts inside of counts would keep V8's linear engine from taking the expression.
const hex = '[0-9a-fA-F](?:[0-9a-fA-F](?:[0-9a-fA-F][0-9a-fA-F]?)?)?';
// Each group before the last ends in a colon, so a final colon stands behind another: `::`.
const ip6 = `(?:${hex}::?|::){1,7}(?:${hex}|:)`;
const group4 = `(?:::f{4,6}:)?(?P<ip4>${ip4})`;
const group6 = `(?P<ip6>${ip6})`;
const dns = String.raw`(?P<dns>[\w\-.^_]*\w)`;
const cidr = String.raw`(?P<cidr>\d+)`;
const address = String.raw`\[?(?:${group4}|${group6})\]?`;
const host = `(?:${address}|${dns})`;

/** What each tag stands for, as fail2ban 1.0 documents in `man jail.conf` and defines in server/failregex.py. */
const tags: ReadonlyMap<string, string> = new Map([
  ['HOST', host],
  ['IP4', group4],
  ['F-IP4/', group4],
  ['IP6', group6],
  ['F-IP6/', group6],
  ['ADDR', address],
  ['F-ADDR/', address],
  ['CIDR', cidr],
  ['F-CIDR/', cidr],
  ['SUBNET', String.raw`\[?(?:${group4}|${group6})(?:/${cidr})?\]?`],
  ['F-SUBNET/', String.raw`\[?(?:${group4}|${group6})(?:/${cidr})?\]?`],
  ['DNS', dns],
  ['F-DNS/', dns],
  ['F-ID/', String.raw`(?P<fid>\S+)`],
  ['F-PORT/', String.raw`(?P<fport>\w+)`],
]);

/** The group's name that fail2ban gives to what `<F-NAME>` captures. */
export function groupOfTag(name: string): string {
  const lower = name.toLowerCase();
  return lower === 'id' || lower === 'port' ? `f${lower}` : lower;
}

/**
 * Replaces `<HOST>`, `<F-USER>…</F-USER>`, `<SKIPLINES>` and their like; other tags stay as they are.
 * @param names whether `<HOST>` may also be a DNS name; fail2ban's `usedns` other than `no`
 * @param builtIn whether it may say `<CUT>`: that it goes over the place where something of a long line was left out
 */
export function resolveTags(regex: string, names: boolean, builtIn = false): ResolvedTags {
  const open = new Set<string>();
  const shifts: { at: number; from: number; length: number }[] = [];
  let skipLines = 0;
  let cuts = 0;
  let grown = 0;
  const expand = (tag: string): string => {
    const name = tag.slice(1, -1);
    if (name === 'HOST') return names ? host : address;
    if (name === 'SKIPLINES') return String.raw`\n(?P<skiplines${skipLines++}>(?:(?:.*\n)*?))`;
    if (name === 'CUT' && builtIn) return `(?P<${cutGroup}${cuts++}>${cutMark})`;
    const fixed = tags.get(name);
    if (fixed !== undefined) return fixed;
    const custom = /^(\/?)F-([A-Z0-9_-]+)$/.exec(name);
    if (!custom) return tag;
    if (custom[1]) return open.has(custom[2]!) ? ')' : tag;
    open.add(custom[2]!);
    return `(?P<${groupOfTag(custom[2]!)}>`;
  };
  const source = regex.replace(/<\/?[\w-]+\/?>/g, (tag, offset: number) => {
    const expansion = expand(tag);
    shifts.push({ at: offset + grown, from: offset, length: expansion.length });
    grown += expansion.length - tag.length;
    return expansion;
  });
  return {
    source,
    origin: (offset) => {
      const shift = shifts.findLast(({ at }) => at <= offset);
      if (!shift) return offset;
      const inside = offset < shift.at + shift.length;
      if (inside) return shift.from;
      const tagEnd = regex.indexOf('>', shift.from) + 1;
      return tagEnd + offset - (shift.at + shift.length);
    },
  };
}
