import { describe, expect, it } from 'vitest';
import { classify } from '../../../src/firewall/tool/errors.ts';

const said = (stderr: string) => classify({ command: 'tool', stderr, timedOut: false, spawnCode: undefined });

describe('classify', () => {
  // Texts as printed by ipset 7.17, iptables 1.8.9 and nft 1.0.6.
  it.each([
    ['ipset v7.17: Kernel error received: Operation not permitted', 'firewall-permission'],
    ["iptables-nft-restore v1.8.9 (nf_tables): Can't open socket to ipset.", 'firewall-permission'],
    [
      'iptables-save v1.8.9 (legacy): Cannot initialize: Permission denied (you must be root)',
      'firewall-permission',
    ],
    [
      "Can't lock /run/xtables.lock: Resource temporarily unavailable\nAnother app is currently holding the xtables lock. Stopped waiting after 1s.",
      'firewall-locked',
    ],
    ["Fatal: can't open lock file /run/xtables.lock: Read-only file system", 'firewall-locked'],
    [
      'ipset v7.17: Error in line 1: Set cannot be created: set with the same name already exists',
      'firewall-set-type',
    ],
    ['ipset v7.17: Error in line 99: Hash is full, cannot add more elements', 'firewall-set-full'],
    [
      "iptables v1.8.9 (nf_tables): chain `INPUT' in table `filter' is incompatible, use 'nft' tool.",
      'firewall-incompatible',
    ],
    // As ipset's lib/errcode.c words it; the second is its own grammar.
    ['ipset v7.17: Error in line 1: Kernel error received: set type not supported', 'firewall-kernel'],
    ['ipset v7.17: Kernel error received: set type does not supported', 'firewall-kernel'],
    ['ipset v7.17: Protocol family not supported by the set type', 'firewall-kernel'],
    ['ipset v7.17: Kernel error received: ipset protocol error', 'firewall-kernel'],
    // Of a kernel without ip_set, or nf_tables, at all.
    ['ipset v7.22: Kernel error received: Invalid argument', 'firewall-kernel'],
    [
      'iptables v1.8.7 (nf_tables): Could not fetch rule set generation id: Invalid argument',
      'firewall-kernel',
    ],
    ['iptables v1.8.9 (legacy): Kernel module xt_set is not loaded in.', 'firewall-kernel'],
    [
      'Warning: Extension set revision 0 not supported, missing kernel module?\niptables v1.8.11 (nf_tables): RULE_APPEND failed (No such file or directory): rule in chain FORWARD',
      'firewall-kernel',
    ],
    ['ipset v7.17: Set cannot be destroyed: it is in use by a kernel component', 'firewall-in-use'],
    [
      "iptables-restore v1.8.9 (legacy): iptables-restore: unable to initialize table 'filter'",
      'firewall-kernel',
    ],
    [
      "iptables-nft-restore v1.8.9 (nf_tables): Couldn't load match `set':No such file or directory",
      'firewall-kernel',
    ],
    ['iptables-nft-restore: line 2 failed: No chain/target/match by that name.', 'firewall-not-found'],
    [
      'iptables-nft-restore: line 2 failed: Bad rule (does a matching rule exist in that chain?).',
      'firewall-not-found',
    ],
    ["iptables-restore v1.8.9 (legacy): Set nosuch doesn't exist.", 'firewall-not-found'],
    ['ipset v7.17: The set with the given name does not exist', 'firewall-not-found'],
    [
      'ipset v7.17: Error in line 2: Null-valued element, cannot be stored in a hash type of set',
      'firewall-refused',
    ],
    [
      'ipset v7.17: Error in line 2: Syntax error: cannot parse bad: resolving to IPv4 address failed',
      'firewall-refused',
    ],
    [
      '/dev/stdin:1:55-62: Error: Could not process rule: No such file or directory\ndelete element inet dock2ban a { 192.0.2.1 }',
      'firewall-not-found',
    ],
    ['/dev/stdin:2:1-9: Error: Could not process rule: Too many open files in system', 'firewall-set-full'],
    ['/dev/stdin:2:1-9: Error: Could not process rule: File exists', 'firewall-set-type'],
    ['/dev/stdin:2:1-9: Error: Could not process rule: Device or resource busy', 'firewall-in-use'],
    ['/dev/stdin:2:1-9: Error: Could not process rule: Operation not supported', 'firewall-kernel'],
    [
      '/dev/stdin:4:39-49: Error: Could not resolve hostname: Address family for hostname not supported',
      'firewall-refused',
    ],
    [
      'Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed: Operation not permitted',
      'firewall-permission',
    ],
    ['iptables-restore: line 2 failed', 'firewall-failed'],
    ['', 'firewall-failed'],
  ])('%s', (stderr, code) => {
    const error = said(stderr);
    expect(error.code).toBe(code);
    expect(error.fix).toBeTruthy();
    expect(error.message).toMatch(/^tool: .+/);
  });

  it('names the remedy for nft where it is another', () => {
    const stderr = 'Error: Could not process rule: Operation not permitted';
    const { fix } = classify({ command: 'nft', stderr, timedOut: false, spawnCode: undefined });
    expect(fix).toContain('NET_ADMIN');
    expect(fix).not.toContain('NET_RAW');
  });

  it('passes over warnings', () => {
    expect(said('# Warning: iptables-legacy tables present\n\nline 2 failed\n').message).toBe(
      'tool: line 2 failed',
    );
  });

  it('tells a missing program and one that hangs', () => {
    const base = { command: 'ipset', stderr: '' };
    expect(classify({ ...base, timedOut: false, spawnCode: 'ENOENT' }).code).toBe('firewall-missing-binary');
    expect(classify({ ...base, timedOut: true, spawnCode: undefined }).code).toBe('firewall-timeout');
  });
});
