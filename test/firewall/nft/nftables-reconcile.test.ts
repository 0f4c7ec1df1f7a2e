import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Family } from '../../../src/net/address.ts';
import type { GuardedJail } from '../../../src/firewall/firewall.ts';
import { NeverBan } from '../../../src/firewall/bans/never-ban.ts';
import { NftablesFirewall } from '../../../src/firewall/nft/nftables.ts';
import type { Ban } from '../../../src/jail/ban.ts';
import { nftables } from '../enforcements.ts';
import { SimulatedKernel } from '../simulated-kernel.ts';
import { failed } from '../simulated-sets.ts';

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

function firewall(): NftablesFirewall {
  return new NftablesFirewall({ tools: kernel, now: () => kernel.now, neverBan: () => neverBan });
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

/** More than are read in full at each look. */
function manyBans(): Ban[] {
  return Array.from({ length: 1500 }, (_, i) =>
    ban(`10.0.${i >> 8}.${i & 255}`, 100_000, i % 2 ? 'web' : 'ssh'),
  );
}

/** Seconds left by address or prefix; Infinity: for ever. */
function members(jail: string | undefined, family: Family = 4): Record<string, number> {
  return Object.fromEntries(
    [...nftables.members(kernel, jail, family)].map(([ip, end]) => [ip, (end - kernel.now) / 1000]),
  );
}

const writes = (): string[] => kernel.commands.filter((command) => nftables.isWrite(command));

describe('reconcile', () => {
  it('says what it repaired', async () => {
    const fw = await opened();
    await fw.ban([ban('203.0.113.9')]);
    kernel.nft.script(
      [
        'flush chain inet dock2ban banned',
        'flush set inet dock2ban dock2ban-4-web',
        'add element inet dock2ban dock2ban-4 { 198.51.100.7 }',
        'add chain inet dock2ban mine',
      ].join('\n'),
    );
    const { repairs } = await fw.reconcile([web, ssh]);
    expect(repairs.map(({ what, detail }) => `${what}: ${detail}`).toSorted()).toEqual([
      'chain: chain banned of table inet dock2ban had been changed',
      'chain: chain mine of table inet dock2ban was unexpected',
      'members: set dock2ban-4 of table inet dock2ban: 0 of 1 addresses were missing or wrong, 1 were unexpected',
      'members: set dock2ban-4-web of table inet dock2ban: 1 of 1 addresses were missing or wrong, 0 were unexpected',
    ]);
    kernel.nft.wipe();
    expect((await fw.reconcile([web, ssh])).repairs).toEqual([
      { what: 'table', family: undefined, detail: 'table inet dock2ban was missing' },
    ]);
    expect(members('web')).toEqual({ '203.0.113.9': 600 });
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
  });

  it('notices among many bans, without reading them, that a set was emptied', async () => {
    const fw = await opened();
    await fw.ban(manyBans());
    // Until it is some time to the next audit.
    for (let i = 0; i < 20; i += 1) expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    kernel.commands.length = 0;
    kernel.nft.script('flush set inet dock2ban dock2ban-4-web\n');
    expect((await fw.reconcile([web, ssh])).repairs).toMatchObject([{ what: 'members' }]);
    expect(Object.keys(members('web'))).toHaveLength(750);
    expect(kernel.commands.filter((command) => command.includes('list set'))).toEqual([
      'nft -j list set inet dock2ban dock2ban-4-web',
    ]);
  });

  it('comes, among many bans, to each that is missing and each that does not belong there', async () => {
    const fw = await opened();
    await fw.ban(manyBans());
    await fw.reconcile([web, ssh]);
    kernel.nft.script('delete element inet dock2ban dock2ban-4-web { 10.0.3.3 }\n');
    kernel.nft.script('add element inet dock2ban dock2ban-4-ssh { 198.51.100.7 }\n');
    for (let i = 0; i < 20; i += 1) {
      kernel.now += 5000;
      await fw.reconcile([web, ssh]);
    }
    expect(members('web')).toHaveProperty(['10.0.3.3']);
    expect(members('ssh')).not.toHaveProperty(['198.51.100.7']);
  });

  it('writes nothing if nothing differs, few bans or many', async () => {
    const fw = await opened();
    await fw.ban([ban('203.0.113.0/24')]);
    kernel.commands.length = 0;
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    expect(writes()).toEqual([]);
    await fw.ban(manyBans());
    kernel.commands.length = 0;
    const before = kernel.snapshot();
    for (let i = 0; i < 30; i += 1) {
      kernel.now += 5000;
      expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    }
    // A transaction that is only tried.
    expect(new Set(writes())).toEqual(new Set(['nft -c -f -']));
    expect(kernel.snapshot()).toEqual(before);
  });

  it('does not call it a repair when jails change, and keeps the bans of one that is gone for a while', async () => {
    const fw = await opened();
    await fw.ban([ban('203.0.113.9')]);
    expect(await fw.reconcile([ssh])).toEqual(nothing);
    expect(kernel.nft.chains().has('jail-web')).toBe(false);
    expect(members('web')).toEqual({ '203.0.113.9': 600 });
    expect(await fw.reconcile([{ ...web, closes: 'all' }, ssh])).toEqual(nothing);
    expect(kernel.nft.chains().get('jail-web')).toEqual(['counter drop']);
    expect(members(undefined)).toEqual({ '203.0.113.9': 600 });
  });

  it('reports what a jail’s failure means, and serves the others', async () => {
    const fw = firewall();
    await fw.open();
    const { run } = kernel;
    const refusing = new NftablesFirewall({
      tools: {
        converse: (_command, _args, listener) => ({ write: () => listener.ended(), end: () => undefined }),
        run: (command, args, options) => {
          const lines = options?.input?.split('\n') ?? [];
          const line = lines.findIndex((each) => each.includes('reject with icmpx')) + 1;
          if (line === 0) return run(command, args, options);
          throw failed(
            'nft',
            `/dev/stdin:${line}:1-9: Error: Could not process rule: Operation not supported\n`,
          );
        },
      },
      now: () => kernel.now,
      neverBan: () => neverBan,
    });
    expect(await refusing.reconcile([web, ssh])).toMatchObject({
      shortfalls: [
        {
          jail: 'ssh',
          family: undefined,
          consequence: 'bans of jail ssh are not enforced',
          error: { code: 'firewall-kernel', fix: expect.stringContaining('nft_reject_inet') as unknown },
        },
      ],
    });
    await refusing.ban([ban('203.0.113.9')]);
    expect(kernel.nft.chains().get('banned')).toContain('ip saddr @dock2ban-4-web jump jail-web');
    expect(members('web')).toEqual({ '203.0.113.9': 600 });
    // It is tried again each time.
    expect((await refusing.reconcile([web, ssh])).shortfalls).toHaveLength(1);
  });

  it('survives a table that somebody removes between look and write', async () => {
    const fw = await opened();
    await fw.ban([ban('203.0.113.9')]);
    kernel.nft.script('add chain inet dock2ban mine\n');
    // It has to remove a chain, which is gone by then.
    kernel.written = () => {
      kernel.written = undefined;
      kernel.nft.wipe();
    };
    const { repairs, shortfalls } = await fw.reconcile([web, ssh]);
    expect(shortfalls).toEqual([]);
    expect(repairs).toMatchObject([{ what: 'table' }]);
    expect(members('web')).toEqual({ '203.0.113.9': 600 });
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
  });

  it('puts in nothing that must not be banned by the time it is written', async () => {
    const fw = await opened();
    await fw.ban([ban('203.0.113.9'), ban('203.0.113.10')]);
    kernel.nft.script('flush set inet dock2ban dock2ban-4\n');
    const reconciled = fw.reconcile([web, ssh]);
    // While the kernel is being read, the host gains an address.
    kernel.written = () => {
      kernel.written = undefined;
      neverBan = new NeverBan({ host: ['203.0.113.9'], gateways: [], dockerSubnets: [] });
    };
    expect((await reconciled).refused).toMatchObject([{ ip: '203.0.113.9', kind: 'host' }]);
    expect(Object.keys(members(undefined))).toEqual(['203.0.113.10']);
  });
});
