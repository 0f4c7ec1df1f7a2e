import type { TransferredBan } from '../../control/api.ts';
import { banEnd } from '../../jail/ban-end.ts';
import { plainText } from '../../text/plain-text.ts';
import { isActive, seenFrom, type StoredBan } from '../../store/stored-ban.ts';
import { iso, isoEnd } from './iso.ts';

/** The pieces of an export: JSON, with a ban on each line. */
export function* exportText(
  pages: Iterable<readonly StoredBan[]>,
  { version, now }: { readonly version: string; readonly now: number },
): Generator<string> {
  const head = { dock2ban: version, export: 1, exported: iso(now) };
  yield `${JSON.stringify(head).slice(0, -1)},"bans":[\n`;
  let separator = '';
  for (const page of pages) {
    let text = '';
    for (const ban of page) {
      text += `${separator}${plainText(JSON.stringify({ ...transferred(ban), active: isActive(ban, now) }))}`;
      separator = ',\n';
    }
    if (text !== '') yield text;
  }
  yield '\n]}\n';
}

function transferred({ until, failures, container, since, ...ban }: StoredBan): TransferredBan {
  return {
    jail: ban.jail,
    ip: ban.ip,
    since: iso(since),
    until: isoEnd(until),
    count: ban.count,
    failures: failures ?? null,
    container: container ?? null,
    lines: ban.lines,
  };
}

/** An imported ban. One that begins in the future was made by a clock that was ahead. */
export function received(ban: TransferredBan, now: number): StoredBan {
  const since = Date.parse(ban.since);
  const { jail, ip, count, lines } = ban;
  return seenFrom(
    {
      jail,
      ip,
      since,
      until: ban.until === null ? undefined : banEnd(Math.max(since, Date.parse(ban.until))),
      count,
      failures: ban.failures ?? undefined,
      container: ban.container ?? undefined,
      lines,
    },
    now,
  );
}
