import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseFirewall } from '../../../src/firewall/choose.ts';
import { FirewallError } from '../../../src/firewall/tool/errors.ts';
import type { Tools } from '../../../src/firewall/tool/exec.ts';
import type { Firewall, GuardedJail } from '../../../src/firewall/firewall.ts';
import { NeverBan } from '../../../src/firewall/bans/never-ban.ts';
import type { Ban } from '../../../src/jail/ban.ts';
import { SimulatedKernel } from '../simulated-kernel.ts';
import { failed } from '../simulated-sets.ts';

const own = 'netdev dock2ban';
const tv: GuardedJail = {
  name: 'tv',
  closes: [],
  blocktype: 'drop',
  direct: [{ parent: 'eth0', addresses: ['192.0.2.200', '2001:db8::c8'], closes: 'all' }],
};
const web: GuardedJail = { name: 'web', closes: 'all', blocktype: 'drop' };
const nothing = { repairs: [], shortfalls: [], refused: [] };

let kernel: SimulatedKernel;
let neverBan: NeverBan;

beforeEach(() => {
  kernel = new SimulatedKernel();
  neverBan = new NeverBan({ host: [], gateways: ['192.0.2.1'], dockerSubnets: [] });
  interfaces('eth0');
});
afterEach(() => kernel[Symbol.dispose]());

function interfaces(...names: string[]): void {
  const lines = ['Inter-| Receive', ' face |bytes', ...['lo', ...names].map((name) => `${name}: 0 0`)];
  writeFileSync(join(kernel.procNet, 'dev'), `${lines.join('\n')}\n`);
}

function create(tools: Tools = kernel): Firewall {
  return chooseFirewall({
    choice: 'nftables',
    tools,
    procNet: kernel.procNet,
    now: () => kernel.now,
    neverBan: () => neverBan,
    engineBackend: () => undefined,
  });
}

async function opened(...jails: GuardedJail[]): Promise<Firewall> {
  const firewall = create();
  await firewall.open();
  await firewall.takeOver(['tv', 'web']);
  expect(await firewall.reconcile(jails)).toEqual(nothing);
  return firewall;
}

/** @param seconds Infinity: for ever */
function ban(ip: string, seconds = 600, jail = 'tv'): Ban {
  const until = seconds === Infinity ? undefined : kernel.now + seconds * 1000;
  return { jail, ip, since: kernel.now, until };
}

/** Seconds left by address in a set; Infinity: for ever. */
function members(set: string): Record<string, number> {
  if (!kernel.nft.sets(own).includes(set)) return {};
  const elements = kernel.nft.elements(set, own);
  return Object.fromEntries([...elements].map(([ip, end]) => [ip, (end - kernel.now) / 1000]));
}

const isThere = (): boolean => kernel.nft.tables().includes(own);

describe('the table at ingress', () => {
  it('is there only as long as a container needs it, and costs nothing otherwise', async () => {
    const firewall = await opened(web);
    expect(isThere()).toBe(false);
    kernel.commands.length = 0;
    await firewall.ban([ban('203.0.113.9', 600, 'web')]);
    expect(await firewall.reconcile([web])).toEqual(nothing);
    expect(kernel.commands.filter((command) => command.includes('netdev'))).toEqual([]);
    expect(await firewall.reconcile([web, tv])).toEqual(nothing);
    expect(isThere()).toBe(true);
    expect(firewall.info!.remarks.at(-1)).toContain('at ingress of eth0');
    expect(await firewall.reconcile([web])).toEqual(nothing);
    expect(isThere()).toBe(false);
    expect(firewall.info!.remarks.join()).not.toContain('ingress');
  });

  it('is removed if an earlier run left it and nobody needs it', async () => {
    kernel.nft.script(`add table ${own}\n`);
    await opened(web);
    expect(isThere()).toBe(false);
  });

  it('is no trouble without nft, as long as nobody needs it', async () => {
    kernel.missing = ['nft'];
    const firewall = chooseFirewall({
      choice: 'docker-user',
      tools: kernel,
      procNet: kernel.procNet,
      now: () => kernel.now,
      neverBan: () => neverBan,
      engineBackend: () => undefined,
    });
    kernel.startDocker('nft');
    await firewall.open();
    expect((await firewall.reconcile([web])).shortfalls).toEqual([]);
    const { shortfalls } = await firewall.reconcile([web, tv]);
    expect(shortfalls).toMatchObject([
      {
        jail: 'tv',
        consequence: 'bans of jail tv are not enforced for 192.0.2.200, 2001:db8::c8',
        error: { code: 'firewall-missing-binary' },
      },
    ]);
    // The other path is closed all the same.
    await firewall.ban([ban('203.0.113.9', 600, 'web'), ban('203.0.113.9', 600, 'tv')]);
    expect((await firewall.reconcile([web, tv])).repairs).toEqual([]);
  });

  it('holds the bans of its jails by prefix length, and of no other jail', async () => {
    const firewall = await opened(tv, web);
    await firewall.ban([
      ban('203.0.113.9', 60),
      ban('203.0.113.0/24', Infinity),
      ban('2001:db8:1::/64', 9e9),
      ban('198.51.100.1', 60, 'web'),
    ]);
    expect(members('dock2ban-4-tv')).toEqual({ '203.0.113.9': 60 });
    expect(members('dock2ban-4-tv/24')).toEqual({ '203.0.113.0': Infinity });
    expect(members('dock2ban-6-tv/64')).toEqual({ '2001:db8:1::': 36_500 * 86_400 });
    expect(kernel.nft.sets(own).toSorted()).toEqual([
      'dock2ban-4',
      'dock2ban-4-tv',
      'dock2ban-4-tv/24',
      'dock2ban-4/24',
      'dock2ban-6-tv/64',
      'dock2ban-6/64',
    ]);
    expect(await firewall.reconcile([tv, web])).toEqual(nothing);
    await firewall.unban([
      { jail: 'tv', ip: '203.0.113.0/24' },
      { jail: 'tv', ip: '203.0.113.9' },
    ]);
    expect(members('dock2ban-4-tv')).toEqual({});
    expect(await firewall.reconcile([tv, web])).toEqual(nothing);
    expect(kernel.nft.sets(own)).not.toContain('dock2ban-4-tv/24');
  });

  it('gets the bans that there were before the container came', async () => {
    const plain: GuardedJail = { name: 'tv', closes: 'all', blocktype: 'drop' };
    const firewall = await opened(plain);
    await firewall.ban([ban('203.0.113.9', 60)]);
    await firewall.reconcile([tv]);
    expect(members('dock2ban-4-tv')).toEqual({ '203.0.113.9': 60 });
  });

  it('changes the end of a ban, although the kernel keeps the timeout of what is added again', async () => {
    const firewall = await opened(tv);
    await firewall.ban([ban('203.0.113.9', 60)]);
    await firewall.ban([ban('203.0.113.9', 6000)]);
    expect(members('dock2ban-4-tv')).toEqual({ '203.0.113.9': 6000 });
  });

  it('never holds an address that must not be banned, and gives up one that becomes such', async () => {
    const firewall = await opened(tv);
    expect(await firewall.ban([ban('192.0.2.1'), ban('203.0.113.9')])).toMatchObject([{ ip: '192.0.2.1' }]);
    expect(Object.keys(members('dock2ban-4-tv'))).toEqual(['203.0.113.9']);
    neverBan = new NeverBan({ host: ['203.0.113.9'], gateways: [], dockerSubnets: [] });
    const { repairs, refused } = await firewall.reconcile([tv]);
    expect(refused).toMatchObject([{ ip: '203.0.113.9' }]);
    expect(repairs.filter(({ detail }) => detail.includes('ingress'))).toEqual([]);
    expect(members('dock2ban-4-tv')).toEqual({});
  });

  it('takes what comes at the same time in one batch, and ends with the last of it', async () => {
    const firewall = await opened(tv);
    kernel.commands.length = 0;
    await Promise.all([
      ...Array.from({ length: 50 }, (_, i) => firewall.ban([ban(`198.51.100.${i}`)])),
      firewall.ban([ban('203.0.113.9')]),
      firewall.unban([{ jail: 'tv', ip: '203.0.113.9' }]),
    ]);
    expect(Object.keys(members('dock2ban-4-tv'))).toHaveLength(50);
    expect(kernel.commands.length).toBeLessThan(10);
  });

  it('throws if the kernel cannot be written, and catches up at the next reconcile', async () => {
    const firewall = await opened(tv);
    kernel.failures = 3;
    await expect(firewall.ban([ban('203.0.113.9')])).rejects.toBeInstanceOf(FirewallError);
    kernel.failures = 0;
    expect((await firewall.reconcile([tv])).shortfalls).toEqual([]);
    expect(members('dock2ban-4-tv')).toEqual({ '203.0.113.9': 600 });
  });

  it('tells of an interface that is not there, and enforces at the others', async () => {
    const two: GuardedJail = {
      ...tv,
      direct: [...tv.direct!, { parent: 'eth9', addresses: ['192.0.2.9'], closes: 'all' }],
    };
    const firewall = create();
    await firewall.open();
    const { shortfalls } = await firewall.reconcile([two]);
    expect(shortfalls).toMatchObject([
      { jail: 'tv', consequence: 'bans of jail tv are not enforced for 192.0.2.9' },
    ]);
    expect([...kernel.nft.chains(own).keys()]).toContain('ingress-eth0');
    interfaces('eth0', 'eth9');
    expect(await firewall.reconcile([two])).toEqual(nothing);
    expect([...kernel.nft.chains(own).keys()]).toContain('ingress-eth9');
  });

  it('drops where the kernel cannot refuse at ingress (before Linux 5.11)', async () => {
    const run: Tools['run'] = (command, args, options) => {
      const lines = (options?.input ?? '').split('\n');
      const at = lines.findIndex((line) => line.includes(`add rule ${own}`) && line.includes(' reject '));
      if (at < 0) return kernel.run(command, args, options);
      const stderr = `/dev/stdin:${at + 1}:1-9: Error: Could not process rule: Operation not supported\n`;
      return Promise.reject(failed(command, stderr));
    };
    const noSession: Tools['converse'] = (_command, _args, listener) => {
      const end = (): void => listener.ended();
      return { write: end, end };
    };
    const firewall = create({ run, converse: noSession });
    await firewall.open();
    const rejecting = { ...tv, blocktype: 'reject' } as const;
    expect(await firewall.reconcile([rejecting])).toEqual(nothing);
    await firewall.ban([ban('203.0.113.0/24')]);
    const rules = kernel.nft.chains(own).get('banned-eth0')!;
    expect(rules).toContain('ip saddr @dock2ban-4-tv ip daddr { 192.0.2.200 } counter drop');
    expect(rules.join()).toContain('@dock2ban-4-tv/24');
    expect(rules.join()).not.toContain('reject');
    expect(await firewall.reconcile([rejecting])).toEqual(nothing);
  });

  it('survives a failure to read the interfaces', async () => {
    const firewall = await opened(tv, web);
    writeFileSync(join(kernel.procNet, 'dev'), '');
    expect((await firewall.reconcile([tv, web])).shortfalls).toHaveLength(1);
    interfaces('eth0');
    expect(await firewall.reconcile([tv, web])).toEqual(nothing);
  });

  it('reads a great many members seldom, and finds then what is wrong', async () => {
    const firewall = await opened(tv);
    const many = Array.from({ length: 10_000 }, (_, i) => ban(`10.0.${i >> 8}.${i & 255}`, Infinity));
    await firewall.ban(many);
    await firewall.reconcile([tv]);
    kernel.commands.length = 0;
    kernel.nft.script(`delete element ${own} dock2ban-4-tv { 10.0.0.7 }\n`);
    expect(await firewall.reconcile([tv])).toEqual(nothing);
    expect(kernel.commands).not.toContain('nft -j list table netdev dock2ban');
    const repairs = [];
    for (let looks = 0; looks < 5; looks += 1) {
      kernel.now += 60_000;
      repairs.push(...(await firewall.reconcile([tv])).repairs);
    }
    expect(repairs).toMatchObject([{ what: 'members' }]);
    expect(Object.keys(members('dock2ban-4-tv'))).toHaveLength(10_000);
  });
});

describe('any sequence of changes and faults', () => {
  const ip = fc.constantFrom('203.0.113.1', '203.0.113.2', '203.0.113.0/24', '2001:db8:1::/64', '192.0.2.1');
  const faults = [
    `delete table ${own}`,
    `flush chain ${own} ingress-eth0`,
    `flush set ${own} dock2ban-4-tv`,
    `add element ${own} dock2ban-4-tv { 203.0.113.77 }`,
    `add chain ${own} foreign`,
  ];
  type Step = readonly [name: string, take: (firewall: Firewall) => Promise<unknown>];
  const tolerant = (work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: unknown) => expect(error).toBeInstanceOf(FirewallError));
  const steps: fc.Arbitrary<Step>[] = [
    fc
      .tuple(ip, fc.option(fc.integer({ min: 1, max: 3000 })))
      .map(([address, s]) => [
        `ban ${address} ${s}`,
        (firewall) => tolerant(firewall.ban([ban(address, s ?? Infinity)])),
      ]),
    ip.map((address) => [
      `unban ${address}`,
      (firewall) => tolerant(firewall.unban([{ jail: 'tv', ip: address }])),
    ]),
    fc.tuple(ip, ip, fc.nat(60)).map(([banned, lifted, ticks]) => [
      `${ticks} ticks into a reconcile: ban ${banned}, unban ${lifted}`,
      async (firewall) => {
        const reconciled = firewall.reconcile([tv]);
        for (let i = 0; i < ticks; i += 1) await Promise.resolve();
        const changes = [firewall.ban([ban(banned)]), firewall.unban([{ jail: 'tv', ip: lifted }])];
        await Promise.all([reconciled, ...changes.map(tolerant)]);
      },
    ]),
    fc.integer({ min: 1, max: 2000 }).map((s) => [`${s} s pass`, async () => (kernel.now += s * 1000)]),
    fc.constant(['reconcile', (firewall) => firewall.reconcile([tv])]),
    fc.constant(['the container goes', (firewall) => firewall.reconcile([web])]),
    fc.integer({ min: 1, max: 3 }).map((n) => [`${n} runs fail`, async () => (kernel.failures = n)]),
    fc.boolean().map((up) => [`eth0 ${up}`, async () => interfaces(...(up ? ['eth0'] : []))]),
    fc.constantFrom(...faults).map((script) => [
      script,
      async () => {
        const needed = /dock2ban-4-tv|ingress-eth0/.exec(script)?.[0];
        const present = [...kernel.nft.sets(own), ...kernel.nft.chains(own).keys()];
        if (isThere() && (needed === undefined || present.includes(needed))) kernel.nft.script(`${script}\n`);
      },
    ]),
  ];
  const step = fc.oneof(...steps);

  it('ends, after one reconcile, with the bans that are in force everywhere else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (sequence) => {
        kernel[Symbol.dispose]();
        kernel = new SimulatedKernel();
        interfaces('eth0');
        const firewall = await opened(tv);
        for (const [, take] of sequence) await take(firewall);
        kernel.failures = 0;
        interfaces('eth0');
        await firewall.reconcile([tv]);
        for (const set of ['dock2ban-4-tv', 'dock2ban-4-tv/24', 'dock2ban-6-tv/64']) {
          const wanted = kernel.nft.sets().includes(set)
            ? kernel.nft.elements(set)
            : new Map<string, number>();
          const held = kernel.nft.sets(own).includes(set)
            ? kernel.nft.elements(set, own)
            : new Map<string, number>();
          const lasting = (ends: ReadonlyMap<string, number>): string[] =>
            [...ends].flatMap(([address, end]) => (end > kernel.now + 6000 ? [address] : [])).toSorted();
          expect(lasting(held)).toEqual(lasting(wanted));
          expect([...held.keys()]).not.toContain('192.0.2.1');
        }
        expect(await firewall.reconcile([tv])).toEqual(nothing);
        await firewall.flush();
        expect(isThere()).toBe(false);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
