import type { JailEdit, JailOptions } from '../../src/control/api.ts';
import type { LiveControl } from '../../src/control/controller.ts';
import { Dock2banError } from '../../src/errors.ts';

const asConfigured: JailOptions = {
  bantime: 600,
  findtime: 600,
  maxretry: 5,
  maxmatches: 5,
  maxlines: 1,
  usedns: 'warn',
  stream: 'all',
  ignoreip: [],
  ignoreself: true,
  ignorecommand: null,
  ignorecache: null,
  failregex: ['^<HOST> .* 404'],
  ignoreregex: [],
  prefregex: null,
  datepattern: null,
  logtimezone: null,
  logencoding: 'utf-8',
  logpath: ['/var/log/syslog'],
  journalmatch: [],
  increment: {},
  blocktype: 'drop',
  ipv6prefix: 64,
};

/** The live side of one jail; only whole numbers can be set. `faults`: what a reload finds wrong. */
export class FakeLive implements LiveControl {
  readonly faults: { where: string; message: string; fix: string }[] = [];
  readonly attempts: string[] = [];
  runs = true;
  readonly #name: string;
  #options = asConfigured;

  constructor(name: string) {
    this.#name = name;
  }

  async reload(jail: string | undefined) {
    if (jail !== undefined && jail !== this.#name) return undefined;
    const applied = this.faults.length === 0;
    if (applied) this.#options = asConfigured;
    return { applied, started: [], changed: applied ? [this.#name] : [], stopped: [], problems: this.faults };
  }

  options(jail: string): JailOptions | undefined {
    return jail === this.#name && this.runs ? this.#options : undefined;
  }

  async edit(jail: string, edit: JailEdit): Promise<JailOptions | undefined> {
    const options = this.options(jail);
    if (!options) return undefined;
    const numbers = Object.entries(edit.set ?? {}).map(([option, value]) => {
      const { [option as 'maxretry']: known } = options;
      if (typeof known === 'number' && /^-?\d+$/.test(value)) return [option, Number(value)] as const;
      throw new Dock2banError('invalid-option', `${option}: "${value}" is no whole number`, {
        fix: 'write a number such as 5',
      });
    });
    const gone = new Set(edit.delignoreip);
    const { addignoreip = [], addfailregex = [], delfailregex = [] } = edit;
    this.#options = {
      ...options,
      ...Object.fromEntries(numbers),
      ignoreip: [...options.ignoreip, ...addignoreip].filter((entry) => !gone.has(entry)),
      failregex: [...options.failregex.filter((_, index) => !delfailregex.includes(index)), ...addfailregex],
    };
    return this.#options;
  }

  async start(jail: string): Promise<boolean> {
    if (jail === this.#name) this.runs = true;
    return jail === this.#name;
  }

  async stop(jail: string): Promise<boolean> {
    const ran = this.options(jail) !== undefined;
    if (ran) this.runs = false;
    return ran;
  }

  async attempt(jail: string, ips: readonly string[], lines: readonly string[]) {
    if (!this.options(jail)) return undefined;
    const refused = ips.filter((ip) => ip === '127.0.0.1').map((ip) => ({ ip, reason: 'it is loopback' }));
    for (const ip of ips) if (ip !== '127.0.0.1') this.attempts.push([ip, ...lines].join(' '));
    return { count: ips.length - refused.length, refused };
  }
}
