import type { JailSpec } from '../../src/config/jail-spec.ts';

/** A jail with fail2ban's defaults, but maxretry 3. */
export function jailSpec(options: Partial<JailSpec> = {}): JailSpec {
  return {
    name: 'nginx-proxy',
    filter: {
      name: 'nginx-proxy',
      failregex: ['<HOST>'],
      ignoreregex: [],
      prefregex: undefined,
      datepattern: undefined,
      maxlines: 1,
      usedns: 'no',
      logtype: 'file',
    },
    sources: [],
    closes: 'all',
    blocktype: 'drop',
    corroboration: { off: 'corroborate = off' },
    ipv6prefix: 64,
    maxretry: 3,
    findtime: 600,
    bantime: 600,
    ignoreip: [],
    ignoreself: true,
    containers: [],
    ...options,
  };
}
