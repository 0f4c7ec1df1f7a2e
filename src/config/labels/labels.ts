import type { ContainerSnapshot } from '../../docker/snapshot.ts';
import { ConfigError, invalid, orElse, quoted } from '../conf/config-error.ts';
import { parseCall } from '../options/filter-call.ts';
import {
  isJailOption,
  labelOptions,
  notByLabel,
  parseJailOption,
  type JailOption,
} from '../options/jail-options.ts';
import { type ConfigProblem, type SourceChoice, sourceChoices } from '../jail-spec.ts';
import {
  accessOptions,
  isAccessLabel,
  labelPrefix,
  labelProblem,
  longestValue,
  portLabel,
  type Label,
} from './label.ts';
import { nearest } from '../options/nearest.ts';

/** A container that a label puts into a jail. */
export interface Binding {
  readonly container: ContainerSnapshot;
  readonly jail: string;
  /** What the labels set for this jail, each value found good; a label for the one jail overrides one for the container. */
  readonly options: ReadonlyMap<JailOption, Label>;
  readonly source: SourceChoice;
  /** The label that names the jail. */
  readonly label: Label;
}

const mostJails = 50;
/** Sections of fail2ban's files that are no jails, and what its files call the value before. */
const reserved: ReadonlySet<string> = new Set(['default', 'includes', 'definition', 'init', 'known']);

/**
 * Reads the `fail2ban.` labels of a container. A label that can't be used is one problem; it removes the jail that it is for from the
 * bindings, or all of them if it is for the whole container.
 */
export function readLabels(container: ContainerSnapshot): { bindings: Binding[]; problems: ConfigProblem[] } {
  const labels = Object.entries(container.labels)
    .filter(([name]) => name.toLowerCase().startsWith(labelPrefix) && !isAccessLabel(name))
    .map(([name, value]): Label => ({ name, value }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const opening = labels.find(({ name }) => name === 'fail2ban.jail');
  const problems: ConfigProblem[] = [];
  if (!opening) {
    // With `network_mode: host`, that one tells access labels what to close.
    const stray =
      labels.find(isMeantToOpen) ??
      labels.find(({ name }) => name !== portLabel || !Object.keys(container.labels).some(isAccessLabel));
    if (stray) problems.push(notOptedIn(container, stray));
    return { bindings: [], problems };
  }
  const jails = new Map<string, Map<string, Label>>();
  for (const name of opening.value.split(/[\s,]+/).filter((word) => word !== '')) jails.set(name, new Map());
  const broken = new Set<string>();
  const shared = new Map<string, Label>();
  const check = (label: Label, jail: string | undefined, run: () => void): void =>
    orElse(run, ({ message, fix }) => {
      problems.push(labelProblem(container, label, message, fix, jail === undefined ? {} : { jail }));
      for (const name of jail === undefined ? jails.keys() : [jail]) broken.add(name);
    });
  check(opening, undefined, () => checkJailNames([...jails.keys()]));
  for (const label of labels) {
    if (label === opening) continue;
    const jail = jailOf(label.name, jails.keys());
    check(label, jail, () => {
      const option = optionOf(label, jail);
      checkValue(option, label.value);
      const given = jail === undefined ? shared : jails.get(jail)!;
      checkOnce(given.get(option), label);
      given.set(option, label);
    });
  }
  const bindings = [...jails]
    .filter(([jail]) => !broken.has(jail))
    .map(([jail, own]) => binding(container, jail, opening, new Map([...shared, ...own])));
  return { bindings, problems };
}

function binding(
  container: ContainerSnapshot,
  jail: string,
  label: Label,
  labels: ReadonlyMap<string, Label>,
): Binding {
  const options = new Map<JailOption, Label>();
  for (const [name, value] of labels) if (isJailOption(name)) options.set(name, value);
  const named = sourceChoices.find((choice) => choice === labels.get('source')?.value.trim());
  return { container, jail, label, options, source: named ?? (options.has('logpath') ? 'file' : 'auto') };
}

function checkJailNames(names: readonly string[]): void {
  if (names.length === 0) throw new ConfigError('no jail is named', 'write fail2ban.jail=nginx-proxy');
  if (names.length > mostJails)
    throw new ConfigError(`${names.length} jails are named`, `name up to ${mostJails}`);
  for (const name of names) {
    if (reserved.has(name.toLowerCase()) || name in Object.prototype) {
      throw new ConfigError(`${quoted(name)} can't be the name of a jail`, 'choose another name');
    }
    if (/^\w[\w.-]{0,62}$/.test(name)) continue;
    throw invalid('jail name', name, 'use letters, digits, "-", "_" and "."');
  }
}

/** Names of labels differ in case, those of options don't. */
function checkOnce(before: Label | undefined, { name, value }: Label): void {
  if (before === undefined || before.value.trim() === value.trim()) return;
  throw new ConfigError(
    `${before.name} says otherwise: ${quoted(before.value)}`,
    `remove ${name} or ${before.name}`,
  );
}

/** The jail that a label is for; undefined: all of the container. Names of jails may contain dots: the longest that fits. */
function jailOf(label: string, jails: Iterable<string>): string | undefined {
  return [...jails]
    .filter((jail) => label.startsWith(`fail2ban.jail.${jail}.`))
    .toSorted((a, b) => b.length - a.length)[0];
}

function optionOf({ name }: Label, jail: string | undefined): string {
  if (jail === undefined && name.startsWith('fail2ban.jail.')) {
    throw new ConfigError(
      'the container is in no such jail',
      'name the jail in fail2ban.jail too; the label is fail2ban.jail.<name>.<option>',
    );
  }
  const option = name
    .slice((jail === undefined ? labelPrefix : `fail2ban.jail.${jail}.`).length)
    .toLowerCase();
  const forbidden = notByLabel.get(option);
  if (forbidden !== undefined) throw new ConfigError(`${option} can't be set by label`, forbidden);
  const allowed = ['source', ...labelOptions];
  if (allowed.includes(option)) return option;
  if (jail !== undefined && accessOptions.some((each) => each === option)) {
    throw new ConfigError(`${option} is for a container, whatever its jails`, `write fail2ban.${option}`);
  }
  const meant = nearest(option, ['jail', ...accessOptions, ...allowed]);
  throw new ConfigError(
    `unknown option ${quoted(option)}`,
    meant === undefined ? `use one of ${allowed.join(', ')}` : `did you mean ${meant}?`,
  );
}

function checkValue(option: string, value: string): void {
  if (value.length > longestValue) {
    throw new ConfigError(`its value has ${value.length} characters`, `keep it below ${longestValue}`);
  }
  if (option === 'source') {
    if (sourceChoices.some((choice) => choice === value.trim())) return;
    throw invalid('source', value, `write ${sourceChoices.join(', ')}`);
  }
  if (!isJailOption(option)) return;
  parseJailOption(option, value);
  if (option === 'ignoreip' && parseJailOption('ignoreip', value).files.length > 0) {
    throw new ConfigError(
      "a label can't read files of the host",
      'list the addresses, or set ignoreip = file:… in jail.local',
    );
  }
  if (option === 'mode' && !/^[\w-]+$/.test(value)) {
    throw invalid('mode', value, 'write a mode of the filter, such as normal or aggressive');
  }
  if (option === 'filter' && !/^[\w.-]+$/.test(parseCall(value).name)) {
    throw invalid('filter', value, 'write name or name[mode=aggressive]');
  }
}

function notOptedIn(container: ContainerSnapshot, label: Label): ConfigProblem {
  const meant = nearest(label.name.slice(labelPrefix.length), accessOptions);
  if (meant !== undefined) {
    const message = 'there is no such label, so it closes nothing';
    return labelProblem(container, label, message, `did you mean fail2ban.${meant}?`);
  }
  return labelProblem(
    container,
    label,
    'the container has no label fail2ban.jail, so it is left alone',
    isMeantToOpen(label)
      ? 'did you mean fail2ban.jail?'
      : 'add fail2ban.jail=<jail>, such as fail2ban.jail=nginx-proxy',
  );
}

/** Whether it is nearly the label that names the jail. */
function isMeantToOpen({ name }: Label): boolean {
  return (
    nearest(name, ['fail2ban.jail', ...labelOptions.map((option) => labelPrefix + option)]) ===
    'fail2ban.jail'
  );
}
