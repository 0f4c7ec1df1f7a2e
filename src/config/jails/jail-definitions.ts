import { place, type Located, type Section } from '../conf/conf-file.ts';
import { mergeFiles, type ConfigSet } from '../conf/config-set.ts';
import { layers, type ConfigTree } from '../conf/config-tree.ts';
import { expandIncludes } from '../conf/includes.ts';
import type { ConfigProblem } from '../jail-spec.ts';
import type { ActionFiles } from '../options/actions.ts';

/** All jails that the configuration knows, enabled or not. */
export interface JailDefinitions {
  readonly set: ConfigSet;
  /** Names of the jails that have a section, in the order of the files. */
  readonly names: readonly string[];
  /** The jails that the user's own files have a section of, each with where that begins: they are the operator's. */
  readonly operators: ReadonlyMap<string, string>;
  /** What the user's `action.d` says, without `[Init]` of conditions. */
  readonly actionFiles: ActionFiles;
  readonly problems: readonly ConfigProblem[];
}

/** The fail2ban whose configuration this is compatible with. */
const fail2banVersion = '1.1.0';

/**
 * Options by which a built-in jail is what it is: they stand above the user's `[DEFAULT]`, as those of any jail's own
 * section do. A built-in jail's other options (maxretry, bantime, …) are suggestions and give way to `[DEFAULT]`.
 */
const defining = new Set([
  'filter',
  'failregex',
  'prefregex',
  'logpath',
  'backend',
  'journalmatch',
  'port',
  'protocol',
]);

/**
 * What makes recidive what it is, besides: as in fail2ban's own jail.conf, its times are not those of `[DEFAULT]`. Where the user
 * has the jail whole, they are the user's.
 */
const recidiveTimes = new Set(['bantime', 'findtime']);

const notJails = new Set(['INCLUDES', 'Definition', 'Init']);

/** Merges `jail.conf`, `jail.d/*.conf`, `jail.local` and `jail.d/*.local` over the built-in jails. */
export function jailDefinitions(tree: ConfigTree): JailDefinitions {
  const builtin = expandIncludes({ ...tree, user: new Map() }, layers(tree.builtin.keys(), 'jail'));
  const user = expandIncludes(tree, layers(tree.user.keys(), 'jail'));
  const below = mergeFiles(builtin.files);
  const above = mergeFiles(user.files);
  const sections = new Map([...below.sections, ...above.sections]);
  const known = new Map(above.known);
  const fallbacks = new Map<string, Section>([['DEFAULT', defaultsBelow(tree, below)]]);
  for (const [name, options] of below.sections) {
    const own = above.sections.get(name);
    const stands = (option: string): boolean =>
      defining.has(option) ||
      (name === 'recidive' && recidiveTimes.has(option) && !(own?.has('logpath') ?? false));
    sections.set(name, new Map([...[...options].filter(([option]) => stands(option)), ...(own ?? [])]));
    fallbacks.set(name, options);
    known.set(name, new Map([...options, ...(known.get(name) ?? [])]));
  }
  return {
    set: { defaults: above.defaults, sections, known, fallbacks },
    names: [...sections.keys()].filter((name) => !notJails.has(name)),
    operators: new Map(
      [...above.sections]
        .filter(([name]) => !notJails.has(name))
        .map(([name, options]) => [name, placeOf(options) ?? tree.configDir]),
    ),
    actionFiles: (action, option) => actionOption(tree, action, option),
    problems: [...builtin.problems, ...user.problems],
  };
}

function actionOption(tree: ConfigTree, action: string, option: string): string | undefined {
  const { files } = expandIncludes(tree, layers(tree.user.keys(), `action.d/${action}`));
  const { sections } = mergeFiles(files);
  return (sections.get('Definition')?.get(option) ?? sections.get('Init')?.get(option))?.value;
}

function placeOf(options: Section): string | undefined {
  const [first] = options.values();
  return first && place(first);
}

function defaultsBelow(tree: ConfigTree, below: ConfigSet): Section {
  const own = Object.entries({
    mode: 'normal',
    filter: '%(__name__)s[mode=%(mode)s]',
    fail2ban_version: fail2banVersion,
    fail2ban_confpath: tree.configDir,
  }).map(([name, value]): [string, Located] => [name, { value, file: 'built-in default', line: 0 }]);
  return new Map([...own, ...below.defaults]);
}
