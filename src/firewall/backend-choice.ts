/** What enforces. */
export type BackendName = 'docker-user' | 'nftables';

/** Whether forwarded packets pass DOCKER-USER; `missing`: there is no iptables to tell. */
export type Jump = 'live' | 'none' | 'missing';

export interface Evidence {
  /** `FirewallBackend.Driver` of the engine's `GET /info`; undefined: it didn't say (before API 1.49), or there is none. */
  readonly engine: string | undefined;
  readonly jump: Jump;
}

export interface Choice {
  readonly backend: BackendName;
  /** For people. */
  readonly why: string;
}

/** Whether the engine says that it makes its rules with nftables: a jump to DOCKER-USER is then a leftover. */
export function isNftablesEngine(engine: string | undefined): boolean {
  return engine?.startsWith('nftables') ?? false;
}

/** Chooses the backend whose rules stand where the engine's are. */
export function chooseBackend({ engine, jump }: Evidence): Choice {
  if (isNftablesEngine(engine)) return { backend: 'nftables', why: 'Docker makes its rules with nftables' };
  switch (jump) {
    case 'live':
      return { backend: 'docker-user', why: 'FORWARD has a live jump to DOCKER-USER' };
    case 'missing':
      return { backend: 'nftables', why: 'iptables is not installed' };
    case 'none':
      return engine === undefined
        ? {
            backend: 'nftables',
            why: 'FORWARD has no jump to DOCKER-USER (Podman, or Docker is not running yet)',
          }
        : { backend: 'docker-user', why: 'Docker makes its rules with iptables' };
  }
}
