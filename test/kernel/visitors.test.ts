import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseFirewall } from '../../src/firewall/choose.ts';
import type { Firewall, GuardedJail } from '../../src/firewall/firewall.ts';
import { visitorsTable } from '../../src/firewall/visitors/visitors-table.ts';
import { backends, likeDocker, neverBan, published, whyNotHere } from './firewall-fixture.ts';
import { addresses, PacketSite } from './packet-site.ts';

const ports = [published(8080), published(22)];
const web: GuardedJail = { name: 'web', closes: ports, blocktype: 'drop', watch: { ports, seconds: 600 } };
const nothing = { repairs: [], shortfalls: [], refused: [] };

/** A SYN by a raw socket: the kernel that owns the address answers the SYN-ACK with a reset, as a host does whose address was forged. */
const lonelySyn = `
import socket, struct, sys
src, dst, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
def total(data):
    s = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while s >> 16: s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff
tcp = struct.pack('!HHLLBBHHH', 40000, port, 1, 0, 5 << 4, 2, 64240, 0, 0)
pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack('!BBH', 0, 6, len(tcp))
tcp = tcp[:16] + struct.pack('!H', total(pseudo + tcp)) + tcp[18:]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
raw.bind((src, 0))
raw.sendto(tcp, (dst, 0))
`;

describe.skipIf(whyNotHere()).each(backends)('visitors, with %s', (backend) => {
  let site: PacketSite;
  let firewall: Firewall;
  /** Milliseconds that the firewall's clock is ahead. */
  let ahead: number;

  const open = async (): Promise<Firewall> => {
    const one = chooseFirewall({
      choice: backend,
      tools: site.host.tools,
      procNet: site.host.procNet,
      neverBan: () => neverBan,
      engineBackend: () => undefined,
      now: () => Date.now() + ahead,
    });
    await one.open();
    return one;
  };
  const strangers = async (...ips: string[]): Promise<string[]> => {
    const mentions = ips.map((address) => ({ address, logged: Date.now() + ahead }));
    return [...(await firewall.strangers('web', mentions))].toSorted();
  };
  const nft = (...args: string[]): Promise<string> => site.host.sh('nft', ...args);

  beforeEach(async () => {
    ahead = 0;
    site = await PacketSite.open(backend);
    await likeDocker(site.host, 'nft', backend);
    for (const family of [4, 6] as const) {
      await site.publish('nft', family, 8080, 80);
      await site.serve(site.container, 80, addresses[family].container);
      await site.serve(site.host, 22, addresses[family].host);
    }
    firewall = await open();
    await firewall.reconcile([web]);
    ahead = 20_000;
  });

  afterEach(async () => {
    await firewall.close();
    await site.close();
  });

  it.each([4, 6] as const)(
    'are those with a connection to a container or the host, over IPv%i',
    async (family) => {
      const { offender, honest, host } = addresses[family];
      expect(await strangers(offender, honest)).toEqual([]);
      const first = await site.connect(offender, host, 8080);
      expect(await strangers(offender, honest)).toEqual([honest]);
      await first.close();
      expect(await strangers(offender)).toEqual([]);
      await site.connect(honest, host, 22);
      expect(await strangers(offender, honest)).toEqual([]);
    },
  );

  it('are not those whose address stands in a packet that opens a connection', async () => {
    const { offender, honest, host } = addresses[4];
    await site.outside.sh('python3', '-c', lonelySyn, honest, host, '8080');
    await site.connect(offender, host, 8080);
    expect(await strangers(offender, honest)).toEqual([honest]);
  });

  it('are not those of other ports', async () => {
    const { offender, honest, host } = addresses[4];
    await site.serve(site.host, 25, host);
    await site.connect(honest, host, 25);
    await site.connect(offender, host, 22);
    expect(await strangers(offender, honest)).toEqual([honest]);
  });

  it('stay known while their connection is open, and over a restart', async () => {
    const { offender, honest, host } = addresses[4];
    await site.connect(offender, host, 8080);
    await nft('delete', 'element', ...visitorsTable.split(' '), 'dock2ban-4-web', `{ ${offender} }`);
    await site.connect('198.51.100.66', host, 22);
    await nft('flush', 'set', ...visitorsTable.split(' '), 'dock2ban-4-web');
    await nft('add', 'element', ...visitorsTable.split(' '), 'dock2ban-4-web', '{ 203.0.113.1 timeout 60s }');
    expect(await strangers(offender, honest)).toEqual([honest]);
    await firewall.close();
    firewall = await open();
    ahead = 0;
    expect(await firewall.reconcile([web])).toEqual(nothing);
    expect(await strangers('203.0.113.1', honest)).toEqual([honest]);
  });

  it('are everyone when the set is nearly full, and nobody was noted in another', async () => {
    const { honest } = addresses[4];
    const many = Array.from({ length: 61_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    await site.host.feed(
      `add element ${visitorsTable} dock2ban-4-web { ${many.map((ip) => `${ip} timeout 600s`).join(', ')} }\n`,
      'nft',
      '-f',
      '-',
    );
    expect(await strangers(honest)).toEqual([]);
    await nft('flush', 'set', ...visitorsTable.split(' '), 'dock2ban-4-web');
    await site.connect(addresses[4].offender, addresses[4].host, 22);
    expect(await strangers(honest)).toEqual([honest]);
  });

  it('are noted again after the table was removed; until then and a while longer everyone is one', async () => {
    const { offender, honest, host } = addresses[4];
    await nft('delete', 'table', ...visitorsTable.split(' '));
    expect(await strangers(honest)).toEqual([]);
    const { repairs } = await firewall.reconcile([web]);
    expect(repairs).toEqual([
      { what: 'table', family: undefined, detail: `table ${visitorsTable} was missing` },
    ]);
    await site.connect(offender, host, 8080);
    expect(await strangers(honest)).toEqual([]);
    ahead += 20_000;
    expect(await strangers(offender, honest)).toEqual([honest]);
  });

  it('keep their notes when another jail comes or its own ports change, and leave no trace', async () => {
    const { offender, honest, host } = addresses[4];
    await site.connect(offender, host, 22);
    const other: GuardedJail = { ...web, name: 'other' };
    expect(await firewall.reconcile([web, other])).toEqual(nothing);
    expect(await strangers(offender, honest)).toEqual([honest]);
    const changed = { ...web, watch: { ports: [published(22)], seconds: 600 } };
    expect(await firewall.reconcile([changed])).toEqual(nothing);
    expect(await strangers(honest)).toEqual([]);
    ahead += 20_000;
    expect(await strangers(offender, honest)).toEqual([honest]);
    await firewall.reconcile([{ name: 'web', closes: ports, blocktype: 'drop' }]);
    expect(await nft('list', 'tables')).not.toContain('visitors');
    await firewall.reconcile([web]);
    await firewall.flush();
    expect(await nft('list', 'tables')).not.toContain('visitors');
  });
});
