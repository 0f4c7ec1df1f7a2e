import { createHash } from 'node:crypto';
import type { FilterOrigin, FilterSpec } from '../../filter/spec.ts';
import { ConfigError, orElse } from '../conf/config-error.ts';
import type { ConfigTree } from '../conf/config-tree.ts';
import type { JailDefinitions } from './jail-definitions.ts';
import { changesExpressions, type JailEdits, noEdits } from './jail-edits.ts';
import { jailFilter, type JailFilter } from './jail-filter.ts';
import type { JailOption } from '../options/jail-options.ts';
import type { Label } from '../labels/label.ts';
import type { Binding } from '../labels/labels.ts';

/** Compiles a filter; the message of what can't be compiled (construct and position), or undefined if all can. Asked for the same filters again and again. */
export type CompileFilter = (spec: FilterSpec) => string | undefined;

/** A filter that can't be had, and the option to blame. */
export class FilterError extends ConfigError {
  readonly option: JailOption;

  constructor(option: JailOption, message: string, fix: string, where?: string) {
    super(message, fix, where);
    this.option = option;
  }
}

const expressions = ['failregex', 'ignoreregex', 'prefregex', 'datepattern'] as const;

/** Resolves and compiles the filters of jails. */
export class CheckedFilters {
  readonly #tree: ConfigTree;
  readonly #definitions: JailDefinitions;
  readonly #compile: CompileFilter;

  constructor(tree: ConfigTree, definitions: JailDefinitions, compile: CompileFilter) {
    this.#tree = tree;
    this.#definitions = definitions;
    this.#compile = compile;
  }

  /**
   * The filter of a jail under these labels.
   *
   * @param definer the container whose labels they are, as `definerName` has it
   * @throws FilterError that blames the label at fault, ConfigError where no label is
   */
  resolve(jail: string, labels: Binding['options'], definer = '', edits = noEdits): JailFilter {
    const own = expressions.flatMap((option) => labels.get(option)?.name ?? []);
    const key = keyOf(jail, labels);
    const ofLabels = { where: own.join(', '), labels: { jail, container: definer, key } };
    return orElse(
      () => this.#resolve(jail, labels, own.length > 0 ? ofLabels : undefined, edits),
      (error) => {
        for (const option of expressions) {
          const label = labels.get(option);
          if (label) this.#checkLabel(option, label, { ...ofLabels, where: label.name });
        }
        throw error;
      },
    );
  }

  #resolve(
    jail: string,
    labels: Binding['options'],
    ofLabels: FilterOrigin | undefined,
    edits: JailEdits,
  ): JailFilter {
    const resolved = blaming(labels, () => jailFilter(this.#tree, this.#definitions, jail, labels, edits));
    const { reader, spec } = resolved;
    const place = reader.setByOwnSection('failregex') ? reader.placeOf('failregex') : resolved.file;
    // A filter stays the same when something before it in its file changes.
    const file = place?.replace(/:\d+$/, '') ?? `filter ${spec.name}`;
    const written = ofLabels ?? { where: file };
    const origin = changesExpressions(edits) ? { where: 'what was changed by hand' } : written;
    const filter = spec.builtIn ? resolved : { ...resolved, spec: { ...spec, origin } };
    const problem = this.#compile(filter.spec);
    if (problem === undefined) return filter;
    return blaming(labels, () => {
      throw new ConfigError(problem, 'correct the expression', place);
    });
  }

  #checkLabel(option: (typeof expressions)[number], { value }: Label, origin: FilterOrigin): void {
    const probe: FilterSpec = {
      name: option,
      failregex: option === 'failregex' ? lines(value) : ['<HOST>'],
      ignoreregex: option === 'ignoreregex' ? lines(value) : [],
      prefregex: option === 'prefregex' ? value : undefined,
      datepattern: option === 'datepattern' && value.trim() !== '' ? value : undefined,
      maxlines: 1,
      usedns: 'no',
      logtype: 'file',
      origin,
    };
    const problem = this.#compile(probe);
    if (problem !== undefined) throw new FilterError(option, problem, 'correct the expression');
  }
}

/** Blames the label that chose the filter, where a label did and no place in a file is known to be wrong. */
function blaming<T>(labels: Binding['options'], run: () => T): T {
  return orElse(run, (error) => {
    const option = (['filter', 'mode', 'failregex'] as const).find((name) => labels.has(name));
    if (option === undefined || (option === 'failregex' && error.where !== undefined)) throw error;
    throw new FilterError(option, error.message, error.fix, error.where);
  });
}

/** Of what labels say of a jail's filter. */
function keyOf(jail: string, labels: Binding['options']): string {
  const said = [...expressions, 'filter', 'mode', 'maxlines'] as const;
  const texts = said.map((option) => labels.get(option)?.value);
  return createHash('sha256')
    .update(JSON.stringify([jail, texts]))
    .digest('hex');
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
