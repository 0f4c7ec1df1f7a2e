import type { JailStatus, Status } from '../../control/api.ts';
import { oneLine } from '../../text/plain-text.ts';
import { logsOf, readsJournal, summaryTree } from '../jail-trees.ts';
import { refusal, type Call } from './command.ts';
import type { Control } from './control.ts';
import { statisticsTable } from './statistics-table.ts';

/** A title, and its labels with their values. */
type Section = readonly [
  title: string,
  entries: readonly (readonly [label: string, value: string | number])[],
];

/** `status`, `status JAIL [FLAVOR]`, and fail2ban 1.1's `status --all [FLAVOR]`. */
export async function status({ control, words }: Call): Promise<string> {
  const [jail, flavor = 'basic', ...more] = words;
  if (jail === undefined) return summary(await control.status());
  if (more.length > 0) throw refusal('Invalid command (no status)');
  if (jail !== '--all')
    return [`Status for the jail: ${oneLine(jail)}`, ...tree(await sections(control, jail, flavor))].join(
      '\n',
    );
  const { jails } = await control.status();
  const head = summary({ jails });
  if (jails.length === 0) return head;
  const lines: string[] = [];
  for (const [i, name] of jails.entries()) {
    const last = i === jails.length - 1;
    lines.push(`   ${branch(last)} Jail: ${oneLine(name)}`);
    lines.push(...tree(await sections(control, name, flavor), last ? '      ' : '   |  '));
  }
  return [head.replace(/^`-/m, '|-'), '`- Status for the jails:', ...lines].join('\n');
}

function summary(all: Pick<Status, 'jails'>): string {
  return summaryTree(all).replace(/\n$/, '');
}

/** fail2ban 1.1's `stats`: a table of all jails. */
export async function statistics({ control }: Call): Promise<string> {
  const { jails } = await control.status();
  if (jails.length === 0) return 'No jails found.';
  const rows: JailStatus[] = [];
  for (const name of jails) rows.push(await control.jail(name));
  return statisticsTable(rows);
}

/**
 * What `status JAIL` shows. `short` leaves the addresses out; `cymru` adds who they belong to, which dock2ban looks up as
 * little as a fail2ban without dnspython; any other flavour is `basic`, as in fail2ban.
 */
async function sections(control: Control, name: string, flavor: string): Promise<Section[]> {
  const jail = await control.jail(name);
  const { journalmatch = [] } = readsJournal(jail) ? await control.options(name) : {};
  const banned = jail.banned.map(({ ip }) => ip).join(' ');
  return [
    [
      'Filter',
      [
        ['Currently failed', jail.currentlyFailed],
        ['Total failed', jail.totalFailed],
        logsOf(jail, journalmatch),
      ],
    ],
    [
      'Actions',
      [
        ['Currently banned', jail.currentlyBanned],
        ['Total banned', jail.totalBanned],
        ...(flavor === 'short' ? [] : [['Banned IP list', banned] as const]),
        ...(flavor === 'cymru' ? ['ASN', 'Country', 'RIR'] : []).map(
          (what) => [`Banned ${what} list`, 'error'] as const,
        ),
      ],
    ],
  ];
}

function tree(parts: readonly Section[], prefix = ''): string[] {
  return parts.flatMap(([title, entries], i) => {
    const last = i === parts.length - 1;
    const indent = `${prefix}${last ? '   ' : '|  '}`;
    return [
      `${prefix}${branch(last)} ${title}`,
      ...entries.map(
        ([label, value], j) => `${indent}${branch(j === entries.length - 1)} ${label}:\t${value}`,
      ),
    ];
  });
}

function branch(last: boolean): string {
  return last ? '`-' : '|-';
}
