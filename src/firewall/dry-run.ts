import type { AccessSpec } from '../config/labels/access-spec.ts';
import { formatPorts } from '../config/options/ports.ts';
import type { Ban } from '../jail/ban.ts';
import type { Firewall, FirewallInfo, GuardedJail, Reconciliation, Refusal } from './firewall.ts';
import type { NeverBan } from './bans/never-ban.ts';

export interface DryRunOptions {
  readonly neverBan: () => NeverBan;
  /** Takes a sentence about what would have been done, but for bans: those are events. */
  readonly report: (text: string) => void;
}

/** `--firewall none`: touches nothing and says what it would do. It refuses what a real one would refuse. */
export class DryRunFirewall implements Firewall {
  readonly #neverBan: () => NeverBan;
  readonly #report: (text: string) => void;
  #jails = '';
  #access = '';
  readonly info: FirewallInfo = {
    backend: 'none',
    variant: undefined,
    entry: { 4: undefined, 6: undefined },
    remarks: ['dry run: bans are reported, not enforced'],
  };

  constructor({ neverBan, report }: DryRunOptions) {
    this.#neverBan = neverBan;
    this.#report = report;
  }

  async open(): Promise<FirewallInfo> {
    return this.info;
  }

  async takeOver(jails: readonly string[]): Promise<ReadonlyMap<string, readonly Ban[]>> {
    return new Map(jails.map((jail) => [jail, []]));
  }

  async reconcile(
    jails: readonly GuardedJail[],
    access: readonly AccessSpec[] = [],
  ): Promise<Reconciliation> {
    const wanted = jails.map(({ name }) => name).join(', ');
    if (wanted !== this.#jails) this.#report(`Would close ports for the jails: ${wanted || 'none'}`);
    this.#jails = wanted;
    const closed = access.map(describeAccess).join('; ');
    if (closed !== this.#access) this.#report(`Would close by label: ${closed || 'nothing'}`);
    this.#access = closed;
    return { repairs: [], shortfalls: [], refused: [] };
  }

  async ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    const refused: Refusal[] = [];
    for (const { jail, ip } of bans) {
      const reason = this.#neverBan().find(ip);
      if (reason) refused.push({ jail, ip, kind: reason.kind, reason: reason.text });
    }
    return refused;
  }

  async unban(): Promise<void> {}

  readonly unwatched = 'bans are only reported';

  async strangers(): Promise<ReadonlySet<string>> {
    return new Set();
  }

  async flush(): Promise<void> {
    this.#report('Would remove all rules');
  }

  async close(): Promise<void> {}
}

function describeAccess({ container, closes, allow, deny }: AccessSpec): string {
  const all = allow && `all but ${allow.join(', ') || 'this host'}`;
  const whom = [...(all === undefined ? [] : [all]), ...deny].join(', ');
  return `${formatPorts(closes)} of ${container} to ${whom}`;
}
