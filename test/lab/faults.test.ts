import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { firewallChoices } from '../../src/daemon/options.ts';
import type { EngineVersion } from './engine-version.ts';
import type { LabHost } from './host.ts';
import type { KeepAsking } from './keep-asking.ts';
import { Site } from './site.ts';

/** What somebody else does to the firewall. */
interface Fault {
  readonly name: string;
  readonly inject: (host: LabHost) => Promise<unknown>;
}

const fault = (name: string, ...commands: readonly string[]): Fault => ({
  name,
  inject: async (host) => host.exec(['sh', '-ec', commands.join('\n')]),
});

const save = 'iptables-save -t filter > /run/dump';
const restore = 'iptables-restore < /run/dump';

/** Without rules of ours, sets are free to be destroyed. */
const removeRules = [
  'for tool in iptables ip6tables; do',
  '  for chain in DOCKER-USER FORWARD INPUT; do $tool -D $chain -j DOCK2BAN 2>/dev/null || true; done',
  '  $tool -F DOCK2BAN',
  'done',
];

const accept = 'iptables -I INPUT -j ACCEPT';

/** Those that depend on how an engine lays out its chains. */
const layoutFaults: readonly Fault[] = [
  fault('iptables -F', 'iptables -F'),
  fault('iptables -F DOCKER-USER', 'iptables -F DOCKER-USER'),
  fault('iptables-restore of a dump from before dock2ban', save, 'sed -i /DOCK2BAN/d /run/dump', restore),
  fault('an ACCEPT above ours', accept, 'iptables -I DOCKER-USER -j ACCEPT'),
];

const ownFaults: readonly Fault[] = [
  fault('iptables -F DOCK2BAN', 'iptables -F DOCK2BAN'),
  fault('the removal of our jumps', 'iptables -D DOCKER-USER -j DOCK2BAN', 'iptables -D INPUT -j DOCK2BAN'),
  fault('iptables-restore of older rules of ours', save, "sed -i '/DOCK2BAN.*-j DROP/d' /run/dump", restore),
  fault('ipset flush', 'ipset flush'),
  fault('ipset destroy', ...removeRules, 'ipset destroy'),
  fault('a RETURN above ours', accept, 'iptables -I DOCKER-USER -j RETURN'),
];

/** Above what Docker leaves to its users. */
const acceptEverything = fault('an ACCEPT above DOCKER-USER', accept, 'iptables -I FORWARD -j ACCEPT');

const tableFaults: readonly Fault[] = [
  fault('nft delete table', 'nft delete table inet dock2ban'),
  fault('nft flush table', 'nft flush table inet dock2ban'),
  fault(
    'nft flush set',
    String.raw`nft list table inet dock2ban | sed -n 's/^\tset \(.*\) {$/flush set inet dock2ban \1/p' | nft -f -`,
  ),
];

const foreignTable = fault(
  'a table that accepts before ours',
  `nft -f - <<END
table inet foreign {
  chain input { type filter hook input priority -100; accept; }
  chain forward { type filter hook forward priority -100; accept; }
}
END`,
);

/** Those that `harmless` names leave bans in force. */
const hosts: readonly {
  readonly engine: EngineVersion;
  readonly firewall: string;
  readonly faults: readonly Fault[];
  readonly harmless: readonly Fault[];
}[] = [
  {
    engine: '20.10',
    firewall: 'docker-user',
    faults: [...layoutFaults, ...ownFaults, acceptEverything],
    harmless: [],
  },
  { engine: '28.5', firewall: 'docker-user', faults: [...layoutFaults, acceptEverything], harmless: [] },
  {
    engine: '28.5',
    firewall: 'nftables',
    faults: tableFaults,
    harmless: [...layoutFaults, acceptEverything, foreignTable],
  },
];

const available: readonly string[] = firewallChoices;

/** Milliseconds in which enforcement must be back. */
const limit = 6000;

/** Sees the attacker shut out again in time. @param end when the fault was over, in epoch milliseconds */
async function expectEnforced({ attacker }: Site, urls: readonly string[], end: number): Promise<void> {
  const attempts = { count: 80, intervalMs: 100, timeoutMs: 500, stopAfterFailures: 5 };
  for (const records of await Promise.all(urls.map((url) => attacker.series(`${url}/`, attempts)))) {
    expect(records.at(-1)?.outcome).toBe('timeout');
    const served = records.filter(({ outcome }) => typeof outcome === 'number');
    expect((served.at(-1)?.sentAt ?? end) - end).toBeLessThan(limit);
  }
}

async function expectUnharmed(...flows: readonly KeepAsking[]): Promise<void> {
  for (const flow of flows) expect(new Set(await flow.stop())).toEqual(new Set([200]));
}

async function expectServed({ honest, host, closed }: Site): Promise<void> {
  for (const url of [...closed, `http://${host.ip4}:8090`]) expect(await honest.get(`${url}/`)).toBe(200);
}

async function expectRepaired(site: Site, { inject }: Fault): Promise<void> {
  const repairs = await site.repairs();
  await using forwarded = await site.flow(8090);
  await using local = await site.flow(8141);
  await inject(site.host);
  await expectEnforced(site, site.closed, Date.now());
  await site.product.seesAnother('firewall-repaired', {}, repairs);
  await expectUnharmed(forwarded, local);
  await expectServed(site);
}

/** Sees that the attacker is not let in for a moment. */
async function expectUnmoved(site: Site, { inject }: Fault): Promise<void> {
  await using forwarded = await site.flow(8090);
  await using local = await site.flow(8141);
  const attempts = site.closed.map(async (url) =>
    site.attacker.series(`${url}/`, { count: 20, intervalMs: 100, timeoutMs: 500 }),
  );
  await inject(site.host);
  for (const records of await Promise.all(attempts)) {
    expect(new Set(records.map(({ outcome }) => outcome))).toEqual(new Set(['timeout']));
  }
  await expectUnharmed(forwarded, local);
  await expectServed(site);
}

describe.each(hosts.filter(({ firewall }) => available.includes(firewall)))(
  'Docker $engine, --firewall $firewall: bans are in force',
  ({ engine, firewall, faults, harmless }) => {
    let site: Site;
    let rules: string;

    beforeAll(async () => {
      const changes = `services:\n  dock2ban:\n    environment: { DOCK2BAN_FIREWALL: ${firewall} }\n`;
      site = await Site.open({ engine }, changes);
      rules = (await site.host.exec(['iptables-save'])).stdout;
    });

    afterAll(async () => {
      await site?.[Symbol.asyncDispose]();
    });

    describe('whatever others do:', () => {
      afterEach(async () => {
        await site.host.exec(['iptables-restore'], { input: `${rules}\n` });
      });

      it.each(faults)('again after $name', async (each) => expectRepaired(site, each));

      it.each(harmless)('all through $name', async (each) => expectUnmoved(site, each));
    });

    it.each(['SIGTERM', 'SIGKILL'] as const)('again after a restart of the engine by %s', async (signal) => {
      await using forwarded = await site.flow(8090);
      await site.host.restartEngine(signal);
      await expectEnforced(site, site.closed, Date.now());
      await expectUnharmed(forwarded);
      await expectServed(site);
    });

    // Docker's own NAT is gone until the engine restarts: until then, what is on the host's network can be judged.
    it('again after nft flush ruleset', async () => {
      const repairs = await site.repairs();
      await using local = await site.flow(8141);
      await site.host.exec(['nft', 'flush', 'ruleset']);
      await expectEnforced(site, [site.closed[1]], Date.now());
      await site.product.seesAnother('firewall-repaired', {}, repairs);
      await site.host.restartEngine();
      await expectEnforced(site, site.closed, Date.now());
      await expectUnharmed(local);
      await expectServed(site);
    });
  },
);

describe('iptables-legacy: bans are in force again after', () => {
  it('somebody has held the xtables lock for ten seconds', async () => {
    const lock = '/run/xtables.lock';
    await using site = await Site.open(
      { iptables: 'legacy' },
      `services:\n  dock2ban:\n    volumes: ['${lock}:${lock}']\n`,
    );
    await using forwarded = await site.flow(8090);
    const repairs = await site.repairs();
    const holder = site.host.spawn(['flock', lock, 'sleep', '10']);
    await delay(500);
    // It has a lock of its own, as programs in containers have.
    await site.host.exec(['iptables-legacy', '-F', 'DOCKER-USER'], {
      env: { XTABLES_LOCKFILE: '/run/other.lock' },
    });
    expect(await site.attacker.get(`${site.closed[0]}/`)).toBe(200);
    await holder;
    await expectEnforced(site, site.closed, Date.now());
    await site.product.seesAnother('firewall-repaired', {}, repairs);
    await expectUnharmed(forwarded);
    await expectServed(site);
  });
});
