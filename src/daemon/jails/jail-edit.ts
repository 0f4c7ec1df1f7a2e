import { canonicalPrefix } from '../../net/address.ts';
import { ConfigError } from '../../config/conf/config-error.ts';
import { parseIgnoreIp } from '../../config/options/ignore-ip.ts';
import { incrementOptions } from '../../config/jails/jail-assembly.ts';
import { isJailOption, parseJailOption, type JailOption } from '../../config/options/jail-options.ts';
import type { JailSpec } from '../../config/jail-spec.ts';
import { nearest } from '../../config/options/nearest.ts';
import type { JailEdit } from '../../control/api.ts';
import { Dock2banError } from '../../errors.ts';
import type { JailEdits } from '../../config/jails/jail-edits.ts';
import { changed, type ListChange, withAdded, withRemoved } from '../../config/jails/list-change.ts';
import { ignoresOf } from './shown-options.ts';

const editable: readonly JailOption[] = [
  'bantime',
  'findtime',
  'maxretry',
  'maxmatches',
  'maxlines',
  'usedns',
  'ignoreself',
  'ignorecommand',
  'ignorecache',
  'datepattern',
  'prefregex',
  'logencoding',
  'logtimezone',
  'blocktype',
  'ipv6prefix',
  ...incrementOptions,
];

/** Entries that were added or removed by hand, of one list. */
const mostChanges = 1000;

/**
 * What is changed by hand after one more edit.
 *
 * @param spec the jail with what is changed already
 * @throws Dock2banError `invalid-option`
 */
export function withEdit(spec: JailSpec, edits: JailEdits, edit: JailEdit): JailEdits {
  const set = new Map(edits.set);
  for (const [name, text] of Object.entries(edit.set ?? {})) set.set(checkedOption(name, text), text);
  const { failregex, ignoreregex } = spec.filter;
  const lists = {
    ignoreip: editedIgnores(ignoresOf(spec), edits.ignoreip, edit),
    failregex: editedList('failregex', failregex, edits, edit.delfailregex, edit.addfailregex),
    ignoreregex: editedList('ignoreregex', ignoreregex, edits, edit.delignoreregex, edit.addignoreregex),
  };
  for (const list of ['ignoreip', 'failregex', 'ignoreregex'] as const) {
    if (lists[list].added.length + lists[list].removed.length <= mostChanges) continue;
    throw invalid(
      list,
      `more than ${mostChanges} changes by hand`,
      'write them into jail.local, then reload',
    );
  }
  if (changed(failregex, lists.failregex).length > 0) return { set, ...lists };
  throw invalid('failregex', 'none would be left', 'stop the jail instead');
}

function checkedOption(name: string, text: string): JailOption {
  const option = name.toLowerCase();
  if (!isJailOption(option) || !editable.includes(option)) {
    const meant = nearest(option.slice(0, 50), editable);
    throw invalid(
      name.slice(0, 100),
      isJailOption(option) ? "it can't be changed in a running jail" : 'there is no such option',
      isJailOption(option)
        ? 'change it in jail.local or the label, then reload'
        : meant === undefined
          ? `use one of ${editable.join(', ')}`
          : `did you mean ${meant}?`,
    );
  }
  checked(option, () => parseJailOption(option, text));
  return option;
}

/** @param before all of the jail's `ignoreip` */
function editedIgnores(before: readonly string[], change: ListChange, edit: JailEdit): ListChange {
  let next = change;
  const now = (): readonly string[] => changed(before, next);
  for (const text of edit.delignoreip ?? []) {
    for (const entry of entriesOf(text)) {
      const known = now().filter((other) => isSame(other, entry));
      if (known.length === 0) throw invalid('ignoreip', `${quote(entry)} is not in it`, 'name one that is');
      for (const other of known) next = withRemoved(next, other);
    }
  }
  for (const text of edit.addignoreip ?? []) {
    for (const entry of entriesOf(text)) {
      if (!now().some((other) => isSame(other, entry))) next = withAdded(next, entry);
    }
  }
  return next;
}

function entriesOf(text: string): readonly string[] {
  const { prefixes, names, files } = checked('ignoreip', () => parseIgnoreIp(text));
  const entries = [...prefixes, ...names, ...files.map((path) => `file:${path}`)];
  if (entries.length > 0) return entries;
  throw invalid('ignoreip', 'nothing is named', 'write 192.0.2.7, 192.0.2.0/24, 2001:db8::/32 or a DNS name');
}

function isSame(entry: string, other: string): boolean {
  return entry === other || (canonicalPrefix(entry) ?? entry) === (canonicalPrefix(other) ?? other);
}

function editedList(
  list: 'failregex' | 'ignoreregex',
  before: readonly string[],
  edits: JailEdits,
  gone: readonly number[] = [],
  fresh: readonly string[] = [],
): ListChange {
  let next = edits[list];
  for (const index of gone) {
    const expression = before[index];
    if (expression === undefined) {
      throw invalid(list, `there is no number ${index}`, `they are counted from 0 to ${before.length - 1}`);
    }
    next = withRemoved(next, expression);
  }
  for (const expression of fresh.flatMap((text) => text.split('\n')).map((line) => line.trim())) {
    if (expression === '') throw invalid(list, 'it is empty', 'write an expression');
    next = withAdded(next, expression);
  }
  return next;
}

function checked<T>(option: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw invalid(option, error.message, error.fix ?? 'correct it');
  }
}

function invalid(option: string, message: string, fix: string): Dock2banError {
  return new Dock2banError('invalid-option', `${option}: ${message}`, { fix });
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
