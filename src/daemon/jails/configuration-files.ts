import type { CompileFilter } from '../../config/jails/checked-filters.ts';
import { ConfFileCache } from '../../config/conf/conf-file-cache.ts';
import type { ConfigTree } from '../../config/conf/config-tree.ts';
import { type Fail2banSettings, fail2banSettings } from '../../config/jails/fail2ban-settings.ts';
import type { LabelPolicy } from '../../config/labels/label-policy.ts';
import { loadConfigTree } from '../../config/conf/load-config-tree.ts';
import { resolveJails } from '../../config/resolve.ts';
import type { ReceiverAddress } from '../../config/labels/syslog-address.ts';
import { GradualCheck } from './gradual-check.ts';
import type { Configuration } from './steering.ts';

export interface ConfigurationFilesOptions {
  /** The built-in jails and filters. */
  readonly builtinDir: string;
  /** The user's; may be absent. */
  readonly configDir: string;
  readonly compileFilter: CompileFilter;
  /** What labels may do; default: as without any option. */
  readonly policy?: LabelPolicy;
  /** Our own syslog receivers, at this moment. */
  readonly receivers: () => readonly ReceiverAddress[];
}

/** The configuration of the user's files over the built-in ones, to be read again and again. */
export class ConfigurationFiles {
  readonly #options: ConfigurationFilesOptions;
  readonly #check: GradualCheck;
  readonly #cache = new ConfFileCache();
  /** They come with the program and don't change while it runs. */
  #builtin: ConfigTree['builtin'] | undefined;

  constructor(options: ConfigurationFilesOptions) {
    this.#options = options;
    this.#check = new GradualCheck(options.compileFilter);
  }

  /** Never rejects: what can't be read is among the problems of what is resolved. */
  async read(): Promise<{ readonly configuration: Configuration; readonly settings: Fail2banSettings }> {
    const { builtinDir, configDir, receivers, policy } = this.#options;
    const tree = await loadConfigTree({ builtinDir, configDir, builtin: this.#builtin, cache: this.#cache });
    this.#builtin = tree.builtin;
    const settings = fail2banSettings(tree);
    const configuration: Configuration = async (wanted) => {
      const resolved = await this.#check.resolve((compileFilter) =>
        resolveJails({ tree, compileFilter, receivers: receivers(), ...(policy && { policy }), ...wanted }),
      );
      return { ...resolved, problems: [...resolved.problems, ...settings.problems] };
    };
    return { configuration, settings };
  }
}
