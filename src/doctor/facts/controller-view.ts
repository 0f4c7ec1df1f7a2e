/** What a running controller says of itself, as far as it matters here. */
export interface ControllerStatus {
  readonly version: string;
  readonly docker: { readonly connected: boolean };
  readonly firewall: {
    readonly backend: string;
    /** Whether everything that should be enforced was, at its last look. */
    readonly healthy: boolean;
    /** What is not enforced, and why, where it tells. */
    readonly troubles?: readonly string[];
  };
  readonly jails: readonly string[];
  /** Containers that labels close to some. */
  readonly access?: readonly { readonly container: string }[];
}

/** The controller's answer, or why there is none. */
export type ControllerView =
  { readonly status: ControllerStatus } | { readonly status: undefined; readonly reason: string };
