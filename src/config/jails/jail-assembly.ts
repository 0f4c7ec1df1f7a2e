import type { NetworkSnapshot } from '../../docker/snapshot.ts';
import { defaultFormula, parseBanFormula, type BanTimeIncrement } from '../options/bantime-increment.ts';
import { orElse } from '../conf/config-error.ts';
import type { BoundContainer } from './jail-definer.ts';
import { jailCloses } from './jail-closes.ts';
import { parseIgnoreIp, type IgnoreIp } from '../options/ignore-ip.ts';
import type { JailFilter } from './jail-filter.ts';
import type { JailReader } from './jail-reader.ts';
import { changed } from './list-change.ts';
import type { ConfigProblem, JailSpec } from '../jail-spec.ts';
import type { OwnPorts } from '../labels/own-ports.ts';
import { fedSources, hostSources } from './jail-sources.ts';

/**
 * Puts a jail together from its filter, containers and options; where nothing says otherwise, fail2ban's own defaults
 * hold. Undefined (with a problem, if its own section enables it) for a jail that would watch nothing.
 *
 * @throws ConfigError for text that can't be resolved at all
 */
export function jailSpec(jail: {
  readonly name: string;
  readonly filter: JailFilter;
  readonly containers: readonly BoundContainer[];
  /** All of Docker's. */
  readonly networks: readonly NetworkSnapshot[];
  readonly ownPorts: OwnPorts;
  /** Whether the configuration enables it for the host's own services. */
  readonly hostServices: boolean;
  readonly problems: ConfigProblem[];
}): JailSpec | undefined {
  const { name, filter, containers, networks, ownPorts, problems } = jail;
  const { reader } = filter;
  const own = jail.hostServices ? hostSources(filter) : [];
  const fed = fedSources(filter);
  const sources = [...own, ...containers.flatMap((bound) => bound.sources), ...fed];
  if (sources.length === 0) {
    if (reader.setByOwnSection('enabled')) problems.push(watchesNothing(reader));
    return undefined;
  }
  const ignored = ignoredBy(reader);
  const maxmatches = reader.value('maxmatches');
  const ignoreCommand = reader.value('ignorecommand');
  const ignoreCache = reader.value('ignorecache');
  const logEncoding = reader.value('logencoding');
  const increment = reader.value('bantime.increment') ? readIncrement(reader) : undefined;
  return {
    name,
    filter: filter.spec,
    sources,
    ...jailCloses(
      {
        reader,
        containers,
        networks,
        ownPorts,
        hostServices: jail.hostServices && own.length + fed.length > 0,
        sources,
      },
      problems,
    ),
    ipv6prefix: reader.value('ipv6prefix') ?? 64,
    maxretry: reader.value('maxretry') ?? 5,
    findtime: reader.value('findtime') ?? 600,
    bantime: reader.value('bantime') ?? 600,
    ignoreip: ignored.prefixes,
    ignoreself: reader.value('ignoreself') ?? true,
    containers: containers.map(({ binding }) => binding.container.name),
    ...(maxmatches !== undefined && { maxmatches }),
    ...(ignored.names.length > 0 && { ignoreNames: ignored.names }),
    ...(ignored.files.length > 0 && { ignoreFiles: ignored.files }),
    ...(ignoreCommand && ignoreCommand.length > 0 && { ignoreCommand }),
    ...(ignoreCache && { ignoreCache }),
    ...(increment && { increment }),
    ...incrementTexts(reader),
    ...(logEncoding !== undefined && { logEncoding }),
  };
}

/** Whom the files have ignored is ignored, whatever a label adds; what was changed by hand holds over both. */
function ignoredBy(reader: JailReader): IgnoreIp {
  const given = [reader.value('ignoreip'), reader.label('ignoreip') && reader.fileValue('ignoreip')];
  const lists = given.map((each) => each ?? parseIgnoreIp(''));
  const all = [
    ...new Set(lists.flatMap(({ prefixes }) => prefixes)),
    ...new Set(lists.flatMap(({ names }) => names)),
    ...lists.flatMap(({ files }) => files.map((path) => `file:${path}`)),
  ];
  return parseIgnoreIp(changed(all, reader.edits.ignoreip).join(' '));
}

function readIncrement(reader: JailReader): BanTimeIncrement {
  return {
    formula: reader.value('bantime.formula') ?? parseBanFormula(defaultFormula),
    multipliers: reader.value('bantime.multipliers') ?? [],
    factor: reader.value('bantime.factor') ?? 1,
    maxtime: reader.value('bantime.maxtime'),
    rndtime: reader.value('bantime.rndtime') ?? 0,
    overalljails: reader.value('bantime.overalljails') ?? false,
  };
}

/** Options of the family of `bantime.increment`. */
export const incrementOptions = [
  'bantime.increment',
  'bantime.formula',
  'bantime.multipliers',
  'bantime.factor',
  'bantime.maxtime',
  'bantime.rndtime',
  'bantime.overalljails',
] as const;

function incrementTexts(reader: JailReader): Pick<JailSpec, 'incrementTexts'> {
  const texts = incrementOptions.flatMap((option): [string, string][] => {
    // What can't be resolved is reported where the option itself is read.
    const text = orElse(
      () => reader.text(option),
      () => undefined,
    );
    return text === undefined ? [] : [[option, text]];
  });
  return texts.length > 0 ? { incrementTexts: Object.fromEntries(texts) } : {};
}

function watchesNothing(reader: JailReader): ConfigProblem {
  return {
    severity: 'info',
    where: reader.placeOf('enabled'),
    message: `jail ${reader.name} is enabled but has no logpath, and no container names it: it watches nothing`,
    fix: `set logpath, or give a container the label fail2ban.jail=${reader.name}`,
    jail: reader.name,
  };
}
