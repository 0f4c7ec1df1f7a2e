import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseFirewall } from '../../src/firewall/choose.ts';
import type { BanFirewall, GuardedJail } from '../../src/firewall/firewall.ts';
import { NeverBan } from '../../src/firewall/bans/never-ban.ts';
import type { Ban } from '../../src/jail/ban.ts';
import { auto, dockerUser, nftables } from './enforcements.ts';
import { SimulatedKernel } from './simulated-kernel.ts';

const web: GuardedJail = { name: 'web', blocktype: 'drop', closes: 'all' };
const ssh: GuardedJail = { name: 'ssh', blocktype: 'drop', closes: 'all' };
const nothing = { repairs: [], shortfalls: [], refused: [] };

let kernel: SimulatedKernel;
const neverBan = new NeverBan({ host: [], gateways: ['172.17.0.1'], dockerSubnets: [] });

beforeEach(() => {
  kernel = new SimulatedKernel();
});
afterEach(() => kernel[Symbol.dispose]());

async function opened(): Promise<BanFirewall> {
  const fw = auto.create(kernel, () => neverBan);
  await fw.open();
  await fw.takeOver(['web', 'ssh']);
  expect(await fw.reconcile([web, ssh])).toEqual(nothing);
  return fw;
}

const fixed = (choice: 'docker-user' | 'nftables'): BanFirewall =>
  chooseFirewall({
    choice,
    tools: kernel,
    procNet: kernel.procNet,
    now: () => kernel.now,
    neverBan: () => neverBan,
    engineBackend: () => kernel.engine,
  });

function ban(ip: string, jail = 'web'): Ban {
  return { jail, ip, since: kernel.now, until: kernel.now + 600_000 };
}

/** Whether a packet of this address is dropped, wherever it goes: by iptables, or by our nft table. */
function isShutOut(ip: string): boolean {
  const { chains } = kernel.table('nft', 4);
  const jumps = chains.get('INPUT')!.includes('-j DOCK2BAN');
  const rules = chains.get('DOCK2BAN') ?? [];
  const drops = rules.some((rule) => rule.includes('dock2ban-4-web src -j DROP'));
  const sets = [dockerUser.members(kernel, 'web', 4), dockerUser.members(kernel, undefined, 4)];
  if (jumps && drops && sets.every((set) => set.has(ip))) return true;
  const own = kernel.nft.chains();
  const isLookedUp = own.get('banned')?.includes('ip saddr @dock2ban-4-web jump jail-web') ?? false;
  const held = [nftables.members(kernel, 'web', 4), nftables.members(kernel, undefined, 4)];
  return isLookedUp && own.get('input')!.includes('goto guard') && held.every((set) => set.has(ip));
}

function hasIptablesTraces(): boolean {
  const tables = (['nft', 'legacy'] as const).map((variant) => kernel.table(variant, 4).save());
  return tables.join('').includes('DOCK2BAN') || kernel.sets.names().length > 0;
}

const hasNftTraces = (): boolean => kernel.nft.tables().includes('inet dock2ban');

describe('choice', () => {
  it('is docker-user where Docker’s jump is live', async () => {
    kernel.startDocker('nft');
    const fw = await opened();
    expect(fw.info).toMatchObject({ backend: 'docker-user', variant: 'nft', entry: { 4: 'DOCKER-USER' } });
    expect(fw.info!.remarks[0]).toBe('chosen because FORWARD has a live jump to DOCKER-USER');
    expect(hasNftTraces()).toBe(false);
  });

  it('is nftables where the engine says so, although its old jump is still there', async () => {
    kernel.startDocker('nft');
    kernel.engine = 'nftables';
    const fw = await opened();
    expect(fw.info).toMatchObject({ backend: 'nftables', variant: undefined, entry: { 4: 'forward' } });
    expect(fw.info!.remarks[0]).toBe('chosen because Docker makes its rules with nftables');
    expect(hasIptablesTraces()).toBe(false);
  });

  it.each([
    ['nft', 'docker-user', /nftables can't be used: nft is not installed/],
    ['ip', 'nftables', /iptables is not installed/],
  ])('takes what there is without %s: %s', async (missing, backend, remark) => {
    kernel.missing = [missing];
    const fw = await opened();
    expect(fw.info!.backend).toBe(backend);
    expect(fw.info!.remarks.join()).toMatch(remark);
    await fw.ban([ban('203.0.113.9')]);
    expect(isShutOut('203.0.113.9')).toBe(true);
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    await fw.flush();
    expect([hasNftTraces(), hasIptablesTraces()]).toEqual([false, false]);
  });

  it.each(['docker-user', 'nftables'] as const)(
    'stays %s if that was asked for, whatever fits',
    async (choice) => {
      if (choice === 'docker-user') kernel.engine = 'nftables';
      else kernel.startDocker('nft');
      const fw = fixed(choice);
      await fw.open();
      expect(await fw.reconcile([web])).toEqual(nothing);
      expect(fw.info).toMatchObject({ backend: choice });
      expect(fw.info!.remarks[0]).toBe('chosen because it is configured');
      await fw.ban([ban('203.0.113.9')]);
      expect(isShutOut('203.0.113.9')).toBe(true);
      expect([hasNftTraces(), hasIptablesTraces()]).toEqual([choice === 'nftables', choice !== 'nftables']);
    },
  );

  it('is an error where what was asked for is missing', async () => {
    kernel.missing = ['nft'];
    await expect(fixed('nftables').open()).rejects.toMatchObject({ code: 'firewall-missing-binary' });
  });

  it('is an error where there is nothing', async () => {
    kernel.missing = ['nft', 'ip'];
    await expect(auto.create(kernel, () => neverBan).open()).rejects.toMatchObject({
      code: 'firewall-missing-binary',
    });
  });

  it('keeps to docker-user while the jump is away for a moment', async () => {
    kernel.startDocker('nft');
    const fw = await opened();
    kernel.table('nft', 4).wipe();
    kernel.table('nft', 6).wipe();
    await fw.reconcile([web, ssh]);
    expect(fw.info!.backend).toBe('docker-user');
    expect(hasNftTraces()).toBe(false);
  });
});

describe('move', () => {
  it.each([
    [
      'to docker-user when Docker comes up after us',
      () => undefined,
      () => kernel.startDocker('nft'),
      'docker-user',
    ],
    [
      'to nftables when the engine comes back with that',
      () => kernel.startDocker('nft'),
      () => void (kernel.engine = 'nftables'),
      'nftables',
    ],
    [
      'to docker-user when the engine gives up nftables',
      () => void (kernel.engine = 'nftables'),
      () => void (kernel.engine = 'iptables'),
      'docker-user',
    ],
  ])('%s, with never a moment in which a ban is open', async (_, before, change, backend) => {
    before();
    const fw = await opened();
    expect(fw.info!.backend).not.toBe(backend);
    await fw.ban([ban('203.0.113.9'), ban('203.0.113.10', 'ssh')]);
    change();
    let [writes, open] = [0, 0];
    kernel.written = () => {
      writes += 1;
      if (!isShutOut('203.0.113.9')) open += 1;
    };
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    expect(fw.info!.backend).toBe(backend);
    expect(writes).toBeGreaterThan(3);
    expect(open).toBe(0);
    expect([hasNftTraces(), hasIptablesTraces()]).toEqual([backend === 'nftables', backend !== 'nftables']);
    kernel.written = undefined;
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    await fw.unban([{ jail: 'web', ip: '203.0.113.9' }]);
    expect(isShutOut('203.0.113.9')).toBe(false);
    expect([...auto.members(kernel, undefined, 4).keys()]).toEqual(['203.0.113.10']);
  });

  it('loses nothing that is asked for meanwhile', async () => {
    kernel.startDocker('nft');
    const fw = await opened();
    await fw.ban([ban('203.0.113.9')]);
    kernel.engine = 'nftables';
    const [reconciled] = await Promise.all([
      fw.reconcile([web, ssh]),
      fw.ban([ban('203.0.113.10')]),
      fw.unban([{ jail: 'web', ip: '203.0.113.9' }]),
      fw.ban([ban('203.0.113.11')]),
    ]);
    expect(reconciled).toEqual(nothing);
    expect(fw.info!.backend).toBe('nftables');
    expect([...auto.members(kernel, 'web', 4).keys()].toSorted()).toEqual(['203.0.113.10', '203.0.113.11']);
    expect(hasIptablesTraces()).toBe(false);
  });

  it('is tried again if it fails, and until then the bans stay where they are', async () => {
    kernel.startDocker('nft');
    const fw = await opened();
    await fw.ban([ban('203.0.113.9')]);
    kernel.engine = 'nftables';
    kernel.missing = ['nft'];
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    expect(fw.info!.backend).toBe('docker-user');
    expect(fw.info!.remarks.at(-1)).toMatch(/nft is not installed/);
    expect(isShutOut('203.0.113.9')).toBe(true);
    kernel.missing = [];
    for (let failures = 1; failures < 30 && fw.info!.backend === 'docker-user'; failures += 1) {
      // The n-th tool fails.
      let runs = 0;
      kernel.written = () => {
        runs += 1;
        if (runs === failures) kernel.failures = 1;
        expect(isShutOut('203.0.113.9')).toBe(true);
      };
      await fw.reconcile([web, ssh]);
      kernel.failures = 0;
    }
    expect(fw.info).toMatchObject({ backend: 'nftables' });
    kernel.written = undefined;
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    expect([hasNftTraces(), hasIptablesTraces()]).toEqual([true, false]);
    expect(fw.info!.remarks.join()).not.toMatch(/fit better/);
  });

  it('tells of rules that it can not remove, and removes them later', async () => {
    kernel.startDocker('nft');
    const fw = await opened();
    await fw.ban([ban('203.0.113.9')]);
    kernel.engine = 'nftables';
    kernel.written = () => {
      const isMoved = kernel.nft.chains().has('jail-web');
      if (isMoved && kernel.commands.at(-1)!.startsWith('iptables-nft-save')) kernel.failures = 1;
    };
    const { shortfalls } = await fw.reconcile([web, ssh]);
    expect(shortfalls).toMatchObject([{ consequence: 'lifted bans may still be enforced by docker-user' }]);
    expect(isShutOut('203.0.113.9')).toBe(true);
    kernel.written = undefined;
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    expect(hasIptablesTraces()).toBe(false);
  });
});

describe('takeOver', () => {
  it('finds what an earlier run left in the other backend', async () => {
    kernel.startDocker('nft');
    const before = await opened();
    await before.ban([ban('203.0.113.9'), ban('203.0.113.10', 'ssh')]);
    await before.close();
    kernel.engine = 'nftables';
    const fw = auto.create(kernel, () => neverBan);
    await fw.open();
    const held = await fw.takeOver(['web', 'ssh']);
    expect([...held].map(([jail, bans]) => [jail, bans.map(({ ip }) => ip)])).toEqual([
      ['web', ['203.0.113.9']],
      ['ssh', ['203.0.113.10']],
    ]);
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    expect(isShutOut('203.0.113.9')).toBe(true);
    expect([hasNftTraces(), hasIptablesTraces()]).toEqual([true, false]);
  });
});
