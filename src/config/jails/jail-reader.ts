import { place } from '../conf/conf-file.ts';
import { ConfigError, orElse } from '../conf/config-error.ts';
import { interpolated, rawOption } from '../conf/interpolation.ts';
import type { JailDefinitions } from './jail-definitions.ts';
import { type JailEdits, noEdits } from './jail-edits.ts';
import { parseJailOption, type JailOption, type JailOptionValue } from '../options/jail-options.ts';
import type { ConfigProblem } from '../jail-spec.ts';
import type { Label } from '../labels/label.ts';

/** Options that a filter may refer to as its jail's (fail2ban's set: not `port` or `mode`, a filter has its own). */
const visibleToFilter: readonly JailOption[] = [
  'enabled',
  'backend',
  'maxretry',
  'maxmatches',
  'findtime',
  'bantime',
  'ignoreself',
  'ignoreip',
  'logtimezone',
  'logencoding',
  'logpath',
  'usedns',
  'failregex',
  'ignoreregex',
  'prefregex',
  'maxlines',
  'datepattern',
  'journalmatch',
];

/** Options that are commands: what a label says never gets into them. */
const fromFilesOnly = new Set<JailOption>(['action', 'ignorecommand', 'ignorecache']);

/** Reads the options of one jail: what was edited by hand, above what labels say, above what the files say. */
export class JailReader {
  readonly name: string;
  readonly problems: ConfigProblem[] = [];
  readonly #definitions: JailDefinitions;
  readonly #labels: ReadonlyMap<JailOption, Label>;
  readonly #overrides: Map<string, string>;
  readonly #known: ReadonlyMap<string, string>;
  readonly edits: JailEdits;

  /** What the files of actions say. */
  get actionFiles(): JailDefinitions['actionFiles'] {
    return this.#definitions.actionFiles;
  }

  /** @param known the filter's options, for `%(known/failregex)s` */
  constructor(
    definitions: JailDefinitions,
    name: string,
    labels: ReadonlyMap<JailOption, Label>,
    known: ReadonlyMap<string, string> = new Map(),
    edits = noEdits,
  ) {
    this.edits = edits;
    this.name = name;
    this.#definitions = definitions;
    this.#labels = labels;
    this.#known = new Map([...known].map(([option, value]) => [`known/${option}`, value]));
    this.#overrides = new Map([
      ...this.#known,
      ...[...labels].map(([option, { value }]): [string, string] => [option, value]),
    ]);
  }

  /** The label that sets an option. */
  label(option: JailOption): Label | undefined {
    return this.#labels.get(option);
  }

  /** Whether the user's files set it, rather than those that are built in. */
  setByUser(option: JailOption): boolean {
    const { operators, set } = this.#definitions;
    return operators.has(this.name) || (!this.setByOwnSection(option) && set.defaults.has(option));
  }

  /** Whether the jail's own section sets it, rather than `[DEFAULT]`. */
  setByOwnSection(option: JailOption): boolean {
    return this.#definitions.set.sections.get(this.name)?.has(option) ?? false;
  }

  /** `file:line` of what sets it in the files. */
  placeOf(option: string): string {
    const raw = rawOption(this.#definitions.set, this.name, option);
    return raw && raw.line > 0 ? place(raw) : `jail ${this.name}`;
  }

  /**
   * The text of an option; undefined if nothing sets it, or sets it to nothing in a file.
   *
   * @throws ConfigError
   */
  text(option: JailOption): string | undefined {
    const text = this.#text(option);
    const isGiven = this.#labels.has(option) || this.edits.set.has(option);
    return text !== undefined && (text.trim() !== '' || isGiven) ? text : undefined;
  }

  /** The text of an option, whatever labels say. @throws ConfigError */
  fileText(option: JailOption): string | undefined {
    const text = interpolated(this.#definitions.set, this.name, option, this.#known);
    return text?.trim() === '' ? undefined : text;
  }

  /** The value of an option; what is no value is a problem and undefined. */
  value<Name extends JailOption>(option: Name): JailOptionValue<Name> | undefined {
    return this.#parsed(option, () => this.text(option));
  }

  /** As `value`, whatever labels say. */
  fileValue<Name extends JailOption>(option: Name): JailOptionValue<Name> | undefined {
    return this.#parsed(option, () => this.fileText(option));
  }

  #parsed<Name extends JailOption>(
    option: Name,
    read: () => string | undefined,
  ): JailOptionValue<Name> | undefined {
    try {
      const text = read();
      return text === undefined ? undefined : parseJailOption(option, text);
    } catch (error) {
      this.report(error, option, "fail2ban's default is used instead");
      return undefined;
    }
  }

  /** Makes a problem of a ConfigError about an option; anything else is thrown on. */
  report(error: unknown, option: string, consequence: string): void {
    if (!(error instanceof ConfigError)) throw error;
    this.problems.push({
      severity: 'warn',
      where: error.where ?? this.placeOf(option),
      message: `${error.where === undefined ? `${option}: ` : ''}${error.message}; ${consequence}`,
      fix: error.fix,
      jail: this.name,
    });
  }

  /** The options of the jail as its filter may refer to them. */
  forFilter(): Map<string, string> {
    const texts = new Map<string, string>();
    for (const option of visibleToFilter) {
      // What can't be resolved is reported where the option itself is read.
      const text = orElse(
        () => this.#text(option),
        () => undefined,
      );
      if (text !== undefined) texts.set(option, text);
    }
    return texts;
  }

  #text(option: JailOption): string | undefined {
    const edited = this.edits.set.get(option);
    if (edited !== undefined) return edited;
    const overrides = fromFilesOnly.has(option) ? this.#known : this.#overrides;
    return interpolated(this.#definitions.set, this.name, option, overrides);
  }
}
