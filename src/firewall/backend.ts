import type { AccessSpec } from '../config/labels/access-spec.ts';
import { unclosed } from './access/access-shortfalls.ts';
import type { NeverBan } from './bans/never-ban.ts';
import type { Reconciliation } from './firewall.ts';
import type { FirewallError } from './tool/errors.ts';
import type { Tools } from './tool/exec.ts';

/** What every backend needs. */
export interface BackendOptions {
  readonly tools: Tools;
  /** The addresses that may not be banned at this moment; a new object when they change. */
  readonly neverBan: () => NeverBan;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** `/proc/net` of the network namespace in which the tools work. */
  readonly procNet?: string;
}

/** What a reconcile came to that could not look at the kernel, or not write it. */
export function nothingDone(access: readonly AccessSpec[], error: FirewallError): Reconciliation {
  const consequence = 'new bans are not enforced';
  const containers = access.map(({ container }) => container);
  return {
    repairs: [],
    shortfalls: [
      { jail: undefined, family: undefined, consequence, error },
      ...unclosed(containers, undefined, error),
    ],
    refused: [],
  };
}
