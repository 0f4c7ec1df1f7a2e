import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dockerUser, nftables } from '../../firewall/enforcements.ts';
import { SimulatedKernel } from '../../firewall/simulated-kernel.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

const banned = '203.0.113.9';
const other = '198.51.100.7';

let daemon: LiveDaemon;
let kernel: SimulatedKernel;

afterEach(() => daemon.end());

const network = (Subnet: string, Gateway?: string): unknown => ({
  Name: 'wide',
  Driver: 'bridge',
  IPAM: { Config: [{ Subnet, Gateway }] },
});

async function networks(...all: unknown[]): Promise<void> {
  daemon.engine.networks = all;
  await daemon.engine.emit('{"Type":"network"}\n');
}

/** Of the database, as the next start finds them. */
function stored(): unknown[] {
  const database = new DatabaseSync(join(daemon.folder, 'state', 'dock2ban.sqlite3'), { readOnly: true });
  try {
    return database
      .prepare('SELECT ip FROM ban ORDER BY ip')
      .all()
      .map(({ ip }) => ip);
  } finally {
    database.close();
  }
}

describe.each([dockerUser, nftables])('a ban ($name)', (backend) => {
  const held = (): string[] => [...backend.members(kernel, 'app', 4).keys()].toSorted();

  async function start(): Promise<void> {
    kernel = new SimulatedKernel();
    kernel.now = Date.now();
    daemon = new LiveDaemon();
    daemon.firewall = (neverBan) => backend.create(kernel, neverBan);
    daemon.config('jail.local', daemon.section('app', 'bantime = 1d'));
    await daemon.start();
    await daemon.control.ban('app', [banned, other]);
    expect(held()).toEqual([other, banned]);
  }

  it.each(['0.0.0.0/0', '128.0.0.0/1', '202.0.0.0/7', '::/0'])(
    'does not mind a network that covers the world: %s',
    async (subnet) => {
      await start();
      await networks(network(subnet, banned), network('172.18.0.0/16'));
      await daemon.sees('docker-problem', { where: 'network wide' });
      expect(daemon.of('docker-problem')[0]?.msg).toMatch(
        /too wide for a Docker network.*docker network inspect/,
      );
      expect(held()).toEqual([other, banned]);
      await networks();
      await daemon.control.ban('app', ['198.51.100.8']);
      expect(held()).toEqual([other, '198.51.100.8', banned]);
      expect(daemon.of('docker-problem')).toHaveLength(1);
      expect(daemon.of('ban-suspended')).toEqual([]);
    },
  );

  it('is suspended while its address is one of Docker’s, and in force again with its end afterwards', async () => {
    await start();
    const before = daemon.control.jail('app')!.banned.find(({ ip }) => ip === banned);
    await networks(network('203.0.0.0/8'));
    await daemon.sees('ban-suspended', { jail: 'app', ip: banned });
    await vi.waitFor(() => expect(held()).toEqual([other]), 5_000);
    expect(daemon.control.jail('app')!.banned).toContainEqual(before);
    await vi.waitFor(() => expect(stored()).toEqual([other, banned]), 5_000);
    await networks();
    await daemon.sees('ban-resumed', { jail: 'app', ip: banned });
    expect(held()).toEqual([other, banned]);
    expect(daemon.control.jail('app')!.banned).toContainEqual(before);
    expect(stored()).toEqual([other, banned]);
    expect(daemon.of('unban')).toEqual([]);
    expect(daemon.of('ban-suspended')).toHaveLength(1);
  });

  it('can be lifted by hand while it is suspended', async () => {
    await start();
    await networks(network('203.0.0.0/8'));
    await daemon.sees('ban-suspended');
    expect(await daemon.control.unban('app', [banned])).toMatchObject({ count: 1 });
    await networks();
    await daemon.control.ban('app', ['198.51.100.8']);
    await vi.waitFor(() => expect(held()).toEqual([other, '198.51.100.8']), 5_000);
    expect(daemon.of('ban-resumed')).toEqual([]);
  });

  it('of an earlier run is suspended from the start, and not forgotten', async () => {
    await start();
    await daemon.stop();
    daemon.engine.networks = [network('203.0.0.0/8')];
    await daemon.start();
    await daemon.sees('ban-suspended', { ip: banned });
    await vi.waitFor(() => expect(held()).toEqual([other]), 5_000);
    expect(stored()).toEqual([other, banned]);
    await networks();
    await daemon.sees('ban-resumed', { ip: banned });
    expect(held()).toEqual([other, banned]);
  });
});
