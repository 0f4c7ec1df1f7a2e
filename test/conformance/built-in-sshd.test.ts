import { isIP } from 'node:net';
import { expect, it } from 'vitest';
import { compileFilter } from '../../src/filter/filter.ts';
import { builtinFilter } from '../builtin/builtin-filters.ts';
import { fail2banTree } from './fail2ban-tree.ts';
import { readSamples } from './sample-log.ts';

process.env['TZ'] = 'Europe/Berlin';
const tree = await fail2banTree();

/** Read otherwise, on purpose: other headers than those of syslog, protocol 1, a line whose last address is the client's. */
const otherwise =
  /kernel: ?\[|\[ID \d+ auth\.info\]|ssh1: |\d\d \[sshd\]:? |ssh2: from 10\.10\.1\.2 |\[brackets\]/;
/** Fails in fail2ban for an earlier line of the same process. */
const joined =
  /pam_unix\(sshd:auth\)|Accepted password|Received disconnect from \S+(?: port \d+)?: ?11:|\bsshd\[(?:8148|424228)\]: Connection closed/;

it.each(['normal', 'aggressive'])('mode %s counts what fail2ban’s own filter counts', async (mode) => {
  const filter = compileFilter(builtinFilter('sshd', new Map([['mode', mode]])), { explain: true });
  const compared: string[] = [];
  const differing: string[] = [];
  for (const { text, expected, runs } of await readSamples(tree.samples, 'sshd')) {
    if (
      !runs.some(({ options }) => (options.get('mode') ?? 'normal') === mode) ||
      otherwise.test(text) ||
      joined.test(text)
    )
      continue;
    const host = expected?.match ? String(expected['host']) : undefined;
    // Lines without an address (fail2ban takes it from earlier ones of the same process), and names.
    if (host !== undefined && (isIP(host) === 0 || !text.includes(host))) continue;
    const [hit] = filter.examine({ text, time: undefined, dateRemoved: false }, Date.now()).hits;
    compared.push(text);
    if (hit?.id !== host) differing.push(`${host} ${hit?.id}: ${text}`);
  }
  expect(compared.length).toBeGreaterThan(30);
  expect(differing).toEqual([]);
});
