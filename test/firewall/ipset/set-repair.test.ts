import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DockerUserFirewall } from '../../../src/firewall/iptables/docker-user.ts';
import { NeverBan } from '../../../src/firewall/bans/never-ban.ts';
import type { Ban } from '../../../src/jail/ban.ts';
import { SimulatedKernel } from '../simulated-kernel.ts';

const web = { name: 'web', closes: 'all' as const, blocktype: 'drop' as const };
const nothing = { repairs: [], shortfalls: [], refused: [] };
const neverBan = new NeverBan({ host: ['198.51.100.1'], gateways: [], dockerSubnets: [] });

let kernel: SimulatedKernel;

beforeEach(() => {
  kernel = new SimulatedKernel();
});
afterEach(() => kernel[Symbol.dispose]());

async function opened(): Promise<DockerUserFirewall> {
  const { procNet } = kernel;
  const fw = new DockerUserFirewall({
    tools: kernel,
    procNet,
    now: () => kernel.now,
    neverBan: () => neverBan,
  });
  await fw.open();
  return fw;
}

function ban(ip: string, seconds = 600, jail = 'web'): Ban {
  return { jail, ip, since: kernel.now, until: kernel.now + seconds * 1000 };
}

function members(set: string): Record<string, number> {
  return Object.fromEntries(
    [...kernel.sets.members(set)].map(([ip, end]) => [ip, (end - kernel.now) / 1000]),
  );
}

describe('a set with room for too few', () => {
  it('is replaced by a larger one with the same bans, in one moment, before more are added', async () => {
    kernel.sets.restore('create dock2ban-4-web hash:net family inet maxelem 2 timeout 0\n');
    kernel.sets.restore(
      'add dock2ban-4-web 203.0.113.1 timeout 600\nadd dock2ban-4-web 203.0.113.0/25 timeout 0\n',
    );
    const fw = await opened();
    await fw.takeOver(['web']);
    await fw.reconcile([web]);
    const more = Array.from({ length: 100 }, (_, i) => ban(`203.0.113.${i + 101}`));
    expect(await fw.ban(more)).toEqual([]);
    expect(Object.keys(members('dock2ban-4-web'))).toHaveLength(102);
    expect(members('dock2ban-4-web')).toMatchObject({ '203.0.113.1': 600, '203.0.113.0/25': Infinity });
    expect(kernel.sets.names()).not.toContain('dock2ban-4-+');
    expect(await fw.reconcile([web])).toEqual(nothing);
  });

  it('keeps bans of which nobody has been told', async () => {
    kernel.sets.restore('create dock2ban-4-web hash:net family inet maxelem 2 timeout 0\n');
    kernel.sets.restore('add dock2ban-4-web 203.0.113.1 timeout 600\n');
    const fw = await opened();
    await fw.reconcile([web]);
    await fw.ban([ban('203.0.113.2'), ban('203.0.113.3'), ban('203.0.113.4')]);
    expect(Object.keys(members('dock2ban-4-web'))).toHaveLength(4);
  });
});

describe('the slow look', () => {
  it.each([
    ['dock2ban-4-web', '203.0.113.9', '192.0.2.1'],
    ['dock2ban-4', '203.0.113.0/24', '203.0.113.0/25'],
    ['dock2ban-6-web', '2001:db8::/64', '2001:db8::1'],
  ])('finds in %s what stands in the place of %s', async (set, removed, stranger) => {
    const fw = await opened();
    await fw.takeOver(['web']);
    await fw.reconcile([web]);
    await fw.ban([ban('203.0.113.9'), ban('203.0.113.0/24'), ban('2001:db8::/64')]);
    kernel.sets.restore(`del ${set} ${removed}\nadd ${set} ${stranger} timeout 600\n`);
    const repairs = [];
    // One set in turn at each look.
    for (let looks = 0; looks < 8; looks += 1) {
      kernel.now += 5000;
      repairs.push(...(await fw.reconcile([web])).repairs);
    }
    expect(repairs).toMatchObject([{ what: 'members', detail: expect.stringContaining(`set ${set}: 1 of`) }]);
    expect(Object.keys(members(set))).toContain(removed);
    expect(Object.keys(members(set))).not.toContain(stranger);
  });
});

describe('prefixes', () => {
  it('stand beside addresses within them, each with its own end', async () => {
    const fw = await opened();
    await fw.takeOver(['web']);
    await fw.reconcile([web]);
    expect(
      await fw.ban([
        ban('203.0.113.0/24', 60),
        ban('203.0.113.9', 600),
        ban('2001:db8::/64', 60),
        ban('198.51.0.0/16'),
      ]),
    ).toMatchObject([
      { ip: '198.51.0.0/16', kind: 'host', reason: 'it overlaps 198.51.100.1, an address of this host' },
    ]);
    expect(members('dock2ban-4')).toEqual({ '203.0.113.0/24': 60, '203.0.113.9': 600 });
    expect(members('dock2ban-6-web')).toEqual({ '2001:db8::/64': 60 });
    await fw.unban([{ jail: 'web', ip: '203.0.113.9' }]);
    expect(members('dock2ban-4-web')).toEqual({ '203.0.113.0/24': 60 });
    expect(members('dock2ban-4')).toEqual({ '203.0.113.0/24': 60 });
    expect(await fw.reconcile([web])).toEqual(nothing);
  });
});
