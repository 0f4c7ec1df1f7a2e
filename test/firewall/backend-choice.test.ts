import { describe, expect, it } from 'vitest';
import { chooseBackend, type Jump } from '../../src/firewall/backend-choice.ts';

describe('chooseBackend', () => {
  it.each<[engine: string | undefined, jump: Jump, backend: string, why: RegExp]>([
    ['iptables', 'live', 'docker-user', /live jump/],
    ['iptables+firewalld', 'none', 'docker-user', /iptables/],
    ['iptables', 'missing', 'nftables', /not installed/],
    ['nftables', 'none', 'nftables', /nftables/],
    // Docker leaves its jump when it changes over to nftables.
    ['nftables', 'live', 'nftables', /nftables/],
    ['nftables+firewalld', 'live', 'nftables', /nftables/],
    [undefined, 'live', 'docker-user', /live jump/],
    [undefined, 'none', 'nftables', /no jump/],
    [undefined, 'missing', 'nftables', /not installed/],
  ])('engine %s, jump %s: %s', (engine, jump, backend, why) => {
    const choice = chooseBackend({ engine, jump });
    expect(choice.backend).toBe(backend);
    expect(choice.why).toMatch(why);
  });
});
