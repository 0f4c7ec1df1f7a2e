import { isAbsolute } from 'node:path';
import { place } from '../../config/conf/conf-file.ts';
import { ConfigError } from '../../config/conf/config-error.ts';
import { mergeFiles, type ConfigSet } from '../../config/conf/config-set.ts';
import { fileAt, layers, type ConfigTree } from '../../config/conf/config-tree.ts';
import { fail2banSettings } from '../../config/jails/fail2ban-settings.ts';
import { interpolated, rawOption } from '../../config/conf/interpolation.ts';
import { nearest } from '../../config/options/nearest.ts';
import { findingOf, type CheckFinding } from './finding.ts';

/** What is wrong with a value, and how one should look; undefined: nothing. */
type Fault = readonly [message: string, fix: string] | undefined;

/** fail2ban's levels (helpers.py, str2LogLevel): Python's and its own, in any case, or a number. */
const logLevel = /^(?:critical|error|warn(?:ing)?|notice|msg|info|debug|tracedebug|heavydebug|\d+)$/i;

const path = (text: string): Fault =>
  isAbsolute(text) ? undefined : [`${JSON.stringify(text)} is no absolute path`, 'write the whole path'];
const unless = (pattern: RegExp, what: string, fix: string) => (text: string) =>
  pattern.test(text) ? undefined : ([`${JSON.stringify(text)} is no ${what}`, fix] as const);
const orPath = (words: RegExp) => (text: string) => (words.test(text) ? undefined : path(text));
const number = unless(/^[+-]?\d+$/, 'whole number', 'write one such as 10');

/** What fail2ban's server takes from `[Definition]` (client/fail2banreader.py), but for `dbpurgeage`, which holds here too. */
const definition: Readonly<Record<string, (text: string) => Fault>> = {
  loglevel: unless(logLevel, 'log level', 'use one of CRITICAL, ERROR, WARNING, NOTICE, INFO, DEBUG'),
  // After a path, options may follow in brackets.
  logtarget: orPath(/^(?:stdout|stderr|syslog|sysout|systemd-journal|\/.*)(?:\[.*\])?$/i),
  syslogsocket: orPath(/^auto$/i),
  socket: path,
  pidfile: path,
  dbfile: orPath(/^(?:none|:memory:)$/i),
  dbmaxmatches: number,
  allowipv6: unless(/^(?:auto|yes|no|true|false|on|off|1|0)$/i, 'choice', 'use one of auto, yes, no'),
};

const thread: typeof definition = { stacksize: number };

/**
 * What is wrong in `fail2ban.conf` and what is laid over it. Only of `dbpurgeage`, and of lines that can't be read, is it an
 * error: the rest is about fail2ban's own server and means nothing here, but fail2ban may refuse to start with it.
 */
export function checkSettings(tree: ConfigTree): CheckFinding[] {
  const files = layers(tree.user.keys(), 'fail2ban').flatMap((name) => fileAt(tree, name) ?? []);
  const set = mergeFiles(files);
  return [
    ...fail2banSettings(tree).problems.map(findingOf),
    ...values(set, 'Definition', definition),
    ...values(set, 'Thread', thread),
    ...unread(set),
  ];
}

function values(set: ConfigSet, section: string, options: typeof definition): CheckFinding[] {
  return Object.entries(options).flatMap(([option, check]): CheckFinding[] => {
    const raw = rawOption(set, section, option);
    if (!raw) return [];
    const finding = (message: string, fix: string, where = place(raw)): CheckFinding[] => [
      { severity: 'notice', where, message: `${message} (it is for fail2ban's server only)`, fix },
    ];
    try {
      const text = interpolated(set, section, option)?.trim() ?? '';
      const fault = check(text);
      return fault ? finding(`${option}: ${fault[0]}`, fault[1]) : [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return finding(error.message, error.fix ?? 'correct it', error.where);
    }
  });
}

/** Sections and options that nobody reads and whose name is nearly that of one that counts. */
function unread(set: ConfigSet): CheckFinding[] {
  const names = { Definition: [...Object.keys(definition), 'dbpurgeage'], Thread: Object.keys(thread) };
  const sections = [...set.sections].flatMap(([section, options]): CheckFinding[] => {
    const meant = Object.hasOwn(names, section) ? undefined : nearest(section, Object.keys(names));
    const [first] = options.values();
    return meant === undefined || !first
      ? []
      : [notice(place(first), `nothing reads the section [${section}]`, `did you mean [${meant}]?`)];
  });
  const known = [...names.Definition, ...names.Thread];
  const read = [set.defaults, ...Object.keys(names).flatMap((name) => set.sections.get(name) ?? [])];
  const options = read.flatMap((section) =>
    [...section].flatMap(([name, located]): CheckFinding[] => {
      const meant = known.includes(name) ? undefined : nearest(name, known);
      return meant === undefined
        ? []
        : [notice(place(located), `nothing uses the option ${name}`, `did you mean ${meant}?`)];
    }),
  );
  return [...sections, ...options];
}

function notice(where: string, message: string, fix: string): CheckFinding {
  return { severity: 'notice', where, message, fix };
}
