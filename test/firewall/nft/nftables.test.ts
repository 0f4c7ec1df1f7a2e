import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Family } from '../../../src/net/address.ts';
import type { Tools } from '../../../src/firewall/tool/exec.ts';
import type { GuardedJail } from '../../../src/firewall/firewall.ts';
import { NeverBan } from '../../../src/firewall/bans/never-ban.ts';
import { NftablesFirewall } from '../../../src/firewall/nft/nftables.ts';
import type { Ban } from '../../../src/jail/ban.ts';
import { nftables } from '../enforcements.ts';
import { SimulatedKernel } from '../simulated-kernel.ts';

const web: GuardedJail = {
  name: 'web',
  blocktype: 'drop',
  closes: [{ protocol: 'tcp', first: 8080, last: 8080, hostAddress: undefined }],
};
const ssh: GuardedJail = { name: 'ssh', blocktype: 'reject', closes: 'all' };
const nothing = { repairs: [], shortfalls: [], refused: [] };

let kernel: SimulatedKernel;
let neverBan: NeverBan;

beforeEach(() => {
  kernel = new SimulatedKernel();
  neverBan = new NeverBan({ host: [], gateways: ['172.17.0.1'], dockerSubnets: [] });
});
afterEach(() => kernel[Symbol.dispose]());

function firewall(tools: Tools = kernel): NftablesFirewall {
  return new NftablesFirewall({ tools, now: () => kernel.now, neverBan: () => neverBan });
}

async function opened(): Promise<NftablesFirewall> {
  const fw = firewall();
  await fw.open();
  await fw.takeOver(['web', 'ssh']);
  expect(await fw.reconcile([web, ssh])).toEqual(nothing);
  return fw;
}

/** @param seconds Infinity: for ever */
function ban(ip: string, seconds = 600, jail = 'web'): Ban {
  const until = seconds === Infinity ? undefined : kernel.now + seconds * 1000;
  return { jail, ip, since: kernel.now, until };
}

/** Seconds left by address or prefix; Infinity: for ever. */
function members(jail: string | undefined, family: Family = 4): Record<string, number> {
  return Object.fromEntries(
    [...nftables.members(kernel, jail, family)].map(([ip, end]) => [ip, (end - kernel.now) / 1000]),
  );
}

describe('ban and unban', () => {
  it('puts addresses and prefixes into the sets of their length, for as long as the ban lasts', async () => {
    const fw = await opened();
    const bans = [
      ban('203.0.113.9', 60),
      ban('203.0.113.0/24', 70),
      ban('2001:db8::/64', Infinity),
      ban('2001:db8::9', 9e9),
    ];
    expect(await fw.ban(bans)).toEqual([]);
    expect(members('web')).toEqual({ '203.0.113.9': 60, '203.0.113.0/24': 70 });
    // Nothing lasts for longer than a century.
    expect(members('web', 6)).toEqual({ '2001:db8::/64': Infinity, '2001:db8::9': 36_500 * 86_400 });
    expect(members(undefined)).toEqual(members('web'));
    expect(members(undefined, 6)).toEqual(members('web', 6));
    expect(members('ssh')).toEqual({});
  });

  it('looks for a prefix length as long as there is a ban of it', async () => {
    const fw = await opened();
    const rule = 'ip saddr & 255.255.240.0 @dock2ban-4/20 goto banned';
    await fw.ban([ban('203.0.112.0/20')]);
    expect(kernel.nft.chains().get('guard')).toContain(rule);
    expect(kernel.nft.chains().get('banned')).toContain(
      'ip saddr & 255.255.240.0 @dock2ban-4-web/20 jump jail-web',
    );
    await fw.unban([{ jail: 'web', ip: '203.0.112.0/20' }]);
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    expect(kernel.nft.chains().get('guard')).not.toContain(rule);
    expect(kernel.nft.sets().filter((set) => set.endsWith('/20'))).toEqual([]);
  });

  it('ends with the last of what was asked for, and takes what comes meanwhile as one batch', async () => {
    const fw = await opened();
    const key = { jail: 'web', ip: '203.0.113.9' };
    kernel.commands.length = 0;
    await Promise.all([
      ...Array.from({ length: 100 }, (_, i) => fw.ban([ban(`198.51.100.${i}`)])),
      fw.ban([ban('203.0.113.9')]),
      fw.unban([key]),
      fw.ban([ban('203.0.113.9', 30)]),
    ]);
    expect(members('web')['203.0.113.9']).toBe(30);
    expect(Object.keys(members('web'))).toHaveLength(101);
    expect(kernel.commands).toEqual(['nft -f -']);
  });

  it('carries out a great many in several transactions', async () => {
    const fw = await opened();
    const many = Array.from({ length: 25_000 }, (_, i) => ban(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`));
    kernel.commands.length = 0;
    expect(await fw.ban(many)).toEqual([]);
    expect(kernel.commands).toEqual(['nft -f -', 'nft -f -', 'nft -f -']);
    expect(Object.keys(members('web'))).toHaveLength(25_000);
  });

  it('refuses the bans of a jail whose set the kernel does not take, and puts in the rest', async () => {
    const fw = await opened();
    kernel.nft.script('add set inet dock2ban dock2ban-4-other { type ipv6_addr; flags timeout; }\n');
    expect(await fw.ban([ban('203.0.113.1', 600, 'other'), ban('203.0.113.2')])).toMatchObject([
      { jail: 'other', ip: '203.0.113.1', kind: 'kernel' },
    ]);
    expect(members('web')).toEqual({ '203.0.113.2': 600 });
    // The table is ours, so the set is put right.
    const other: GuardedJail = { ...web, name: 'other' };
    expect((await fw.reconcile([web, ssh, other])).shortfalls).toEqual([]);
    expect(members('other')).toEqual({ '203.0.113.1': 600 });
  });
});

describe('takeOver', () => {
  it('writes each ban once, into a kernel that holds nothing of ours, and reads none of it back', async () => {
    const told: string[] = [];
    const fw = firewall({
      run: (command, args, options) => {
        told.push(`${args.join(' ')} ${options?.input ?? ''}`);
        return kernel.run(command, args, options);
      },
      converse: (command, args, listener) => kernel.converse(command, args, listener),
    });
    await fw.open();
    await fw.takeOver(['web', 'ssh']);
    const bans = Array.from({ length: 1500 }, (_, i) => ban(`10.0.${i >> 8}.${i & 255}`, 100_000 + i));
    await fw.ban(bans);
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    expect(Object.keys(members('web'))).toHaveLength(1500);
    expect(members(undefined)).toEqual(members('web'));
    const last = bans.at(-1)!.ip;
    const naming = told.filter((text) => text.includes(last) && !text.startsWith('-c'));
    expect(naming.map((text) => text.split(`${last} timeout`).length - 1)).toEqual([2]);
    expect(naming[0]).not.toContain('delete element');
    expect(told.filter((text) => / list (set|table) /.test(text))).toEqual([]);
  });

  it('fills up the sets of all where an earlier run left only those of the jails', async () => {
    const before = await opened();
    await before.ban([ban('203.0.113.9', 60)]);
    kernel.nft.elements('dock2ban-4').clear();
    const fw = firewall();
    await fw.open();
    await fw.takeOver(['web', 'ssh']);
    await fw.ban([ban('203.0.113.9', 60), ban('203.0.113.10', 60)]);
    await fw.reconcile([web, ssh]);
    expect(members(undefined)).toEqual({ '203.0.113.9': 60, '203.0.113.10': 60 });
  });
});

describe('flush', () => {
  it('removes our table and nothing else, and forgets', async () => {
    kernel.nft.script('add table inet somebody-elses\nadd chain inet somebody-elses input\n');
    const before = kernel.snapshot();
    const fw = await opened();
    await fw.ban([ban('203.0.113.9')]);
    await fw.flush();
    expect(kernel.snapshot()).toEqual(before);
    expect([...fw.bans]).toEqual([]);
    expect(await fw.reconcile([web])).toEqual(nothing);
    expect(members(undefined)).toEqual({});
  });
});

describe('open', () => {
  it('says that nft is missing, and how to get it', async () => {
    kernel.missing = ['nft'];
    await expect(firewall().open()).rejects.toMatchObject({
      code: 'firewall-missing-binary',
      fix: 'install nftables, built with JSON support',
    });
  });
});
