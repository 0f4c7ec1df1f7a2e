import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccessSpec } from '../../src/config/labels/access-spec.ts';
import type { Tools } from '../../src/firewall/tool/exec.ts';
import { DockerUserFirewall } from '../../src/firewall/iptables/docker-user.ts';
import { NeverBan } from '../../src/firewall/bans/never-ban.ts';
import { NftablesFirewall } from '../../src/firewall/nft/nftables.ts';
import { isAccessSet } from '../../src/firewall/bans/set-names.ts';
import { SimulatedKernel } from './simulated-kernel.ts';
import { failed } from './simulated-sets.ts';

const spec = (allow: string[]): AccessSpec => ({
  container: 'web',
  closes: [{ protocol: 'tcp', first: 80, last: 80, hostAddress: undefined }],
  allow,
  deny: [],
});
const neverBan = new NeverBan({ host: [], gateways: [], dockerSubnets: [] });

let kernel: SimulatedKernel;
const dockerUser = () =>
  new DockerUserFirewall({
    tools: kernel,
    procNet: kernel.procNet,
    now: () => kernel.now,
    neverBan: () => neverBan,
  });
const rules = () => kernel.table('nft', 4).chains.get('DOCK2BAN')!;

beforeEach(() => {
  kernel = new SimulatedKernel();
  kernel.startDocker('nft');
});
afterEach(() => kernel[Symbol.dispose]());

describe('who gets to a container, when something fails (docker-user)', () => {
  it('stays as it was while the sets for a change cannot be made', async () => {
    const firewall = dockerUser();
    await firewall.open();
    await firewall.reconcile([], [spec(['198.51.100.7'])]);
    const before = rules();
    expect(before.some((rule) => rule.includes('! --match-set dock2ban-a4-'))).toBe(true);
    // Somebody holds the name of the set that is needed next.
    const other = new SimulatedKernel();
    other.startDocker('nft');
    const scout = new DockerUserFirewall({
      tools: other,
      procNet: other.procNet,
      now: () => other.now,
      neverBan: () => neverBan,
    });
    await scout.open();
    await scout.reconcile([], [spec(['198.51.100.8'])]);
    const name = other.sets
      .names()
      .find((set) => isAccessSet(set) && other.sets.members(set).has('198.51.100.8'))!;
    other[Symbol.dispose]();
    kernel.sets.restore(`create ${name} hash:ip family inet maxelem 65536 timeout 0\n`);

    const { shortfalls } = await firewall.reconcile([], [spec(['198.51.100.8'])]);
    expect(shortfalls).toMatchObject([
      { family: 4, consequence: 'allowfrom and denyfrom of web are not enforced over IPv4' },
    ]);
    expect(rules()).toEqual(before);

    kernel.sets.restore(`destroy ${name}\n`);
    expect((await firewall.reconcile([], [spec(['198.51.100.8'])])).shortfalls).toEqual([]);
    expect(rules()).not.toEqual(before);
  });

  it('stays as it was, and is told, while nothing can be read', async () => {
    const firewall = dockerUser();
    await firewall.open();
    await firewall.reconcile([], [spec(['198.51.100.7'])]);
    const before = kernel.snapshot();
    kernel.failures = 20;
    const { shortfalls } = await firewall.reconcile([], [spec(['198.51.100.7'])]);
    expect(shortfalls.map(({ consequence }) => consequence)).toContain(
      'allowfrom and denyfrom of web are not enforced',
    );
    kernel.failures = 0;
    expect(kernel.snapshot()).toEqual(before);
  });

  it('leaves no sets behind of an earlier run', async () => {
    const first = dockerUser();
    await first.open();
    await first.reconcile([], [spec(['198.51.100.7'])]);
    await first.close();
    const second = dockerUser();
    await second.open();
    expect(kernel.sets.names().some(isAccessSet)).toBe(true);
    await second.reconcile([]);
    expect(kernel.sets.names().some(isAccessSet)).toBe(false);
  });

  it('counts it as no repair when a list comes back that was in force before', async () => {
    const firewall = dockerUser();
    await firewall.open();
    for (const allow of ['198.51.100.7', '198.51.100.8', '198.51.100.7']) {
      expect((await firewall.reconcile([], [spec([allow])])).repairs).toEqual([]);
    }
    expect(kernel.sets.names().filter(isAccessSet)).toHaveLength(3);
  });

  it('runs no more commands than before where no label says anything', async () => {
    const firewall = dockerUser();
    await firewall.open();
    await firewall.reconcile([]);
    kernel.commands.length = 0;
    await firewall.reconcile([]);
    expect(kernel.commands.filter((command) => command === 'ipset list -t')).toHaveLength(1);
  });
});

describe('who gets to a container, when something fails (nftables)', () => {
  it('does not keep bans, and other containers, from being enforced', async () => {
    const bad = '198.51.100.77';
    const tools: Tools = {
      run: async (command, args, options = {}) => {
        const line = (options.input ?? '').split('\n').findIndex((each) => each.includes(bad)) + 1;
        if (line > 0)
          throw failed('nft', `/dev/stdin:${line}:1-9: Error: Could not process rule: Invalid argument`);
        return kernel.run(command, args, options);
      },
      converse: (command, args, listener) => {
        const conversation = kernel.converse(command, args, listener);
        return {
          ...conversation,
          write: (text) => {
            if (text.includes(bad)) queueMicrotask(() => listener.ended());
            else conversation.write(text);
          },
        };
      },
    };
    const firewall = new NftablesFirewall({ tools, now: () => kernel.now, neverBan: () => neverBan });
    await firewall.open();
    const jail = { name: 'sshd', closes: 'all', blocktype: 'drop' } as const;
    const access = [spec([bad]), { ...spec(['198.51.100.7']), container: 'other' }];
    const { shortfalls } = await firewall.reconcile([jail], access);
    expect(shortfalls).toMatchObject([
      { jail: undefined, consequence: 'allowfrom and denyfrom of web are not enforced' },
    ]);
    const chains = kernel.nft.chains();
    expect(chains.get('access-other')).toContain('ip saddr { 198.51.100.7 } return');
    expect(chains.has('access-web')).toBe(false);
    expect(chains.get('jail-sshd')).toEqual(['counter drop']);
  });
});
