/** What the operator lets labels do, by options of `dock2ban run`. */
export interface LabelPolicy {
  /** Whether labels of an image count as those of its containers. */
  readonly trustImageLabels: boolean;
  /** The folders below which labels may name log files. Absolute, without a slash at the end. */
  readonly logRoots: readonly string[];
}

export const defaultPolicy: LabelPolicy = { trustImageLabels: false, logRoots: ['/var/log'] };
