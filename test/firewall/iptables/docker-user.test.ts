import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClosedPort } from '../../../src/config/jail-spec.ts';
import { DockerUserFirewall } from '../../../src/firewall/iptables/docker-user.ts';
import { NeverBan } from '../../../src/firewall/bans/never-ban.ts';
import type { Ban } from '../../../src/jail/ban.ts';
import { SimulatedKernel } from '../simulated-kernel.ts';
import { failed } from '../simulated-sets.ts';

const port: ClosedPort = { protocol: 'tcp', first: 8080, last: 8080, hostAddress: undefined };
const web = { name: 'web', closes: [port], blocktype: 'drop' as const };
const ssh = { name: 'ssh', closes: 'all' as const, blocktype: 'drop' as const };
const nothing = { repairs: [], shortfalls: [], refused: [] };

let kernel: SimulatedKernel;
let neverBan: NeverBan;

beforeEach(() => {
  kernel = new SimulatedKernel();
  neverBan = new NeverBan({ host: [], gateways: ['172.17.0.1'], dockerSubnets: [] });
});
afterEach(() => kernel[Symbol.dispose]());

function firewall(): DockerUserFirewall {
  const { procNet } = kernel;
  return new DockerUserFirewall({ tools: kernel, procNet, now: () => kernel.now, neverBan: () => neverBan });
}

async function opened(): Promise<DockerUserFirewall> {
  const fw = firewall();
  await fw.open();
  await fw.takeOver(['web', 'ssh']);
  expect(await fw.reconcile([web, ssh])).toEqual(nothing);
  return fw;
}

/** @param seconds Infinity: for ever */
function ban(ip: string, seconds = 600, jail = 'web'): Ban {
  return {
    jail,
    ip,
    since: kernel.now,
    until: seconds === Infinity ? undefined : kernel.now + seconds * 1000,
  };
}

/** Seconds left by address; Infinity: for ever. */
function members(set: string): Record<string, number> {
  return Object.fromEntries(
    [...kernel.sets.members(set)].map(([ip, end]) => [ip, (end - kernel.now) / 1000]),
  );
}

describe('ban and unban', () => {
  it('starts no process for bans that come one by one', async () => {
    const fw = await opened();
    kernel.commands.length = 0;
    await Promise.all(Array.from({ length: 100 }, (_, i) => fw.ban([ban(`203.0.113.${i + 1}`)])));
    expect(Object.keys(members('dock2ban-4-web'))).toHaveLength(100);
    expect(kernel.commands).toEqual([]);
  });

  it('arms a ban that is longer than ipset can count again, before its timeout ends', async () => {
    const fw = await opened();
    const day = 86_400;
    await fw.ban([ban('203.0.113.9', 100 * day)]);
    expect(members('dock2ban-4-web')).toEqual({ '203.0.113.9': 2_147_483 });
    for (let days = 1; days < 100; days += 1) {
      kernel.now += day * 1000;
      await fw.reconcile([web, ssh]);
      expect(Object.keys(members('dock2ban-4-web')), `after ${days} days`).toEqual(['203.0.113.9']);
      expect(Object.keys(members('dock2ban-4')), `after ${days} days`).toEqual(['203.0.113.9']);
    }
    kernel.now += day * 1000 + 1000;
    expect(members('dock2ban-4-web')).toEqual({});
  });
});

describe('takeOver', () => {
  it('loses nothing if it fails half-way', async () => {
    const before = await opened();
    await before.ban([ban('203.0.113.9')]);
    const fw = firewall();
    await fw.open();
    const list = kernel.sets.save.bind(kernel.sets);
    kernel.sets.save = () => {
      kernel.sets.save = list;
      throw failed('ipset', 'Kernel error received: No buffer space available');
    };
    await expect(fw.takeOver(['web'])).rejects.toMatchObject({ code: 'firewall-kernel' });
    await fw.reconcile([web]);
    expect(Object.keys(members('dock2ban-4-web'))).toEqual(['203.0.113.9']);
  });
});

describe('reconcile', () => {
  it('says what it repaired', async () => {
    kernel.startDocker('nft', [4]);
    const fw = await opened();
    await fw.ban([ban('203.0.113.9')]);
    kernel.table('nft', 4).restore('*filter\n-F DOCKER-USER\n-F DOCK2BAN\nCOMMIT\n');
    kernel.sets.members('dock2ban-4-web').clear();
    const { repairs } = await fw.reconcile([web, ssh]);
    expect(repairs.map(({ what, family, detail }) => `${what} ${family}: ${detail}`)).toEqual([
      'members 4: set dock2ban-4-web: 1 of 1 addresses were missing or wrong, 0 were unexpected',
      'chain 4: chain DOCK2BAN had been changed',
      'jump 4: the jump from DOCKER-USER to DOCK2BAN was missing',
    ]);
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
  });

  it('reports what a failing family means, and serves the other', async () => {
    const fw = firewall();
    await fw.open();
    kernel.sets.restore('create dock2ban-6-web hash:ip family inet6 maxelem 16777216 timeout 0\n');
    const { shortfalls } = await fw.reconcile([web, ssh]);
    expect(shortfalls).toMatchObject([
      {
        jail: 'web',
        family: 6,
        consequence: 'bans of jail web are not enforced over IPv6',
        error: { code: 'firewall-set-type' },
      },
    ]);
    expect(kernel.table('nft', 4).chains.get('DOCK2BAN')).toHaveLength(4);
    expect(kernel.table('nft', 6).chains.get('DOCK2BAN')).toHaveLength(3);
  });

  it('survives a table that changed between look and write', async () => {
    const fw = await opened();
    const { run } = kernel;
    let raced = false;
    const racing = new DockerUserFirewall({
      tools: {
        converse: kernel.converse.bind(kernel),
        run: (command, args, options) => {
          if (!raced && command === 'iptables-nft-restore') {
            raced = true;
            kernel.table('nft', 4).wipe();
          }
          return run(command, args, options);
        },
      },
      procNet: kernel.procNet,
      now: () => kernel.now,
      neverBan: () => neverBan,
    });
    await racing.open();
    // A jump to be moved, which is gone when the script arrives.
    kernel.table('nft', 4).restore('*filter\n-I INPUT 1 -j ACCEPT\nCOMMIT\n');
    expect((await racing.reconcile([web, ssh])).shortfalls).toEqual([]);
    expect(raced).toBe(true);
    expect(kernel.table('nft', 4).chains.get('INPUT')).toEqual(['-j DOCK2BAN']);
    await fw.close();
  });
});

describe('iptables variants', () => {
  it('uses the one with the live jump, and does not look at legacy tables that do not exist', async () => {
    const fw = firewall();
    expect(await fw.open()).toMatchObject({ variant: 'nft', entry: { 4: 'FORWARD', 6: 'FORWARD' } });
    expect(kernel.commands.filter((command) => command.includes('legacy'))).toEqual([]);
  });

  it('follows Docker from nft to legacy and leaves nothing behind', async () => {
    kernel.startDocker('nft');
    const fw = await opened();
    for (const family of [4, 6] as const) {
      kernel.table('nft', family).restore('*filter\n-D FORWARD -j DOCKER-USER\nCOMMIT\n');
    }
    kernel.startDocker('legacy');
    await fw.reconcile([web, ssh]);
    expect(fw.info).toMatchObject({ variant: 'legacy', entry: { 4: 'DOCKER-USER', 6: 'DOCKER-USER' } });
    expect(kernel.table('nft', 4).save()).not.toContain('DOCK2BAN');
    expect(kernel.table('legacy', 4).chains.get('DOCKER-USER')![0]).toBe('-j DOCK2BAN');
  });

  it('enforces IPv4 alone where the kernel has no IPv6', async () => {
    kernel[Symbol.dispose]();
    kernel = new SimulatedKernel({ ipv6: false });
    const fw = firewall();
    const info = await fw.open();
    expect(info.entry[6]).toBeUndefined();
    expect(info.remarks.join()).toMatch(/no IPv6/);
    await fw.reconcile([web]);
    await fw.ban([ban('2001:db8::9'), ban('203.0.113.9')]);
    expect(kernel.sets.names().toSorted()).toEqual(['dock2ban-4', 'dock2ban-4-web']);
    expect(kernel.commands.filter((command) => command.startsWith('ip6tables'))).toEqual([]);
  });
});
