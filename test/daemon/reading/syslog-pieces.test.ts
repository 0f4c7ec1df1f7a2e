import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeContainer, idOf } from '../../docker/fake-engine.ts';
import { ip, LogWays, web } from './log-ways.ts';
import { SyslogSender, syslogFrame } from './syslog-sender.ts';

const sender = ip(9);
const victim = '192.0.2.66';
/** Docker's syslog driver cuts lines into these. */
const pieceBytes = 16_384;

const bad = (address: string): string => `bad ${address}`;

/** A line that the sender has a service log, whose second piece by itself is one about the victim; and the pieces. */
function longLine(): { line: string; pieces: string[] } {
  const first = `${bad(sender)} `.padEnd(pieceBytes, 'x');
  return { line: first + bad(victim), pieces: [first, bad(victim)] };
}

function container(changes: Partial<FakeContainer> = {}): FakeContainer {
  return web({
    labels: {
      'fail2ban.jail': 'web',
      'fail2ban.failregex': '^bad <HOST>(?: .*)?$',
      'fail2ban.maxretry': '5',
      'fail2ban.port': '8000',
      ...changes.labels,
    },
    logDriver: 'syslog',
    logOptions: { tag: 'web', ...changes.logOptions },
    ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8000' }] },
  });
}

let ways: LogWays;

beforeEach(async () => {
  ways = new LogWays();
  writeFileSync(ways.syslog, '');
  await ways.engine.start();
});

afterEach(async () => ways.close());

/** How often each address was found to have failed. */
function counts(): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const address of ways.found) sums[String(address)] = (sums[String(address)] ?? 0) + 1;
  return sums;
}

/** What a service logs: to Docker's copy, and by syslog as its driver cuts it and a daemon truncates it. */
class Service {
  readonly #records: string[] = [];
  readonly #truncate: number;

  constructor(truncate = Infinity) {
    this.#truncate = truncate;
  }

  log(line: string, pieces: readonly string[] = [line], stream: 1 | 2 = 1): void {
    ways.copy(line, Date.now(), stream);
    this.#records.push(...pieces.map((piece) => piece.slice(0, this.#truncate)));
  }

  attack(): void {
    const { line, pieces } = longLine();
    this.log(line, pieces);
  }

  /** Writes it to the file, in one go. */
  flush(): void {
    ways.record(Date.now(), ...this.#records.splice(0));
  }

  /** Sends it to the receiver, in one go. */
  async send(): Promise<void> {
    const syslog = await SyslogSender.open(ways.address);
    for (const one of this.#records.splice(0)) await syslog.send(syslogFrame('web', one));
    syslog.close();
  }
}

describe('the piece of a line is never a line', { timeout: 60_000 }, () => {
  it.each([
    ['as Docker cuts it', Infinity, {}],
    ['truncated by rsyslog', 8000, {}],
    ['truncated to 1 KiB', 960, {}],
    ['where the label says syslog', Infinity, { 'fail2ban.source': 'syslog' }],
  ])('in the syslog file, %s', async (_, truncate, labels) => {
    await ways.start([container({ labels })]);
    await ways.sees('ready');
    const service = new Service(truncate);
    for (const n of [1, 1, 1, 2]) service.log(bad(ip(n)));
    for (let i = 0; i < 6; i += 1) service.attack();
    service.log(bad(ip(3)));
    service.flush();
    await ways.sees('found', { ip: ip(3) });
    service.attack();
    service.log(bad(ip(4)));
    service.flush();
    await ways.sees('found', { ip: ip(4) });
    expect(counts()).toEqual({ [ip(1)]: 3, [ip(2)]: 1, [sender]: 7, [ip(3)]: 1, [ip(4)]: 1 });
    expect(ways.of('ban').map((event) => event['ip'])).toEqual([sender]);
    expect(ways.of('source-fallback')).toMatchObject([{ containers: ['web'] }]);
    expect(ways.control.jail('web')?.sources).toEqual(['docker:web']);
  });

  it('sent to our receiver', async () => {
    const address = { 'syslog-address': `unix://${ways.socketPath}` };
    await ways.start([container({ logOptions: address })]);
    await ways.sees('ready');
    const service = new Service();
    service.log(bad(ip(1)));
    for (let i = 0; i < 6; i += 1) service.attack();
    service.log(bad(ip(2)));
    await service.send();
    await ways.sees('found', { ip: ip(2) });
    service.attack();
    service.log(bad(ip(3)));
    await service.send();
    await ways.sees('found', { ip: ip(3) });
    expect(counts()).toEqual({ [ip(1)]: 1, [sender]: 7, [ip(2)]: 1, [ip(3)]: 1 });
    expect(ways.of('source-fallback')).toHaveLength(1);
  });

  it('though dock2ban is restarted between the pieces', async () => {
    const { line, pieces } = longLine();
    await ways.start([container()]);
    await ways.sees('ready');
    const now = Date.now();
    ways.copy(bad(ip(1)), now);
    ways.copy(bad(ip(1)), now);
    ways.record(now, bad(ip(1)), bad(ip(1)), pieces[0]!);
    await ways.sees('source-fallback');
    expect(counts()).toEqual({ [ip(1)]: 2 });
    await ways.stop();
    ways.copy(line, now);
    ways.copy(bad(ip(2)), now + 1);
    ways.record(now, pieces[1]!, bad(ip(2)));
    await ways.start([container()]);
    await ways.sees('found', { ip: ip(2) });
    expect(counts()).toEqual({ [sender]: 1, [ip(2)]: 1 });
    expect(ways.of('source-fallback')).toEqual([]);
    // Another container by that name is another's matter.
    ways.engine.containers = [{ ...container(), id: idOf('b2') }];
    await ways.engine.emit('{}');
    await expect.poll(() => ways.control.jail('web')?.sources).toEqual([ways.syslog]);
    ways.record(Date.now(), bad(ip(5)));
    await ways.sees('found', { ip: ip(5) });
  });

  it('where there is no copy: a long line counts for nothing, and neither does what may be its end', async () => {
    await ways.start([container({ logOptions: { 'cache-disabled': 'true' } })]);
    await ways.sees('ready');
    const { pieces } = longLine();
    const now = Date.now();
    // Standard error may stand between the pieces.
    ways.record(now, bad(ip(1)), pieces[0]!, 'notice', pieces[1]!, pieces[0]!);
    await ways.sees('lines-in-pieces', { container: 'web', fix: expect.stringContaining('cache-disabled') });
    await ways.stop();
    ways.record(now, pieces[1]!);
    await ways.start([container({ logOptions: { 'cache-disabled': 'true' } })]);
    await ways.sees('ready');
    ways.record(Date.now() + 4000, 'notice', bad(ip(2)));
    await ways.sees('found', { ip: ip(2) });
    expect(counts()).toEqual({ [ip(2)]: 1 });
  });

  it('where the engine turns out to keep no copy, which is said with the fix', async () => {
    ways.logs.refusal = { status: 501, message: 'configured logging driver does not support reading' };
    await ways.start([container()]);
    await ways.sees('ready');
    const { pieces } = longLine();
    ways.record(Date.now(), bad(ip(1)), ...pieces);
    await ways.sees('source-lost', { source: 'docker:web' });
    expect(ways.control.jail('web')?.sources).toEqual([ways.syslog]);
    ways.record(Date.now() + 4000, bad(ip(2)));
    await ways.sees('found', { ip: ip(2) });
    ways.record(Date.now() + 4000, ...pieces);
    await ways.sees('lines-in-pieces');
    ways.record(Date.now() + 8000, 'notice', bad(ip(3)));
    await ways.sees('found', { ip: ip(3) });
    expect(counts()).toEqual({ [ip(1)]: 1, [ip(2)]: 1, [ip(3)]: 1 });
  });
});

it('a line that says it was repeated counts in the file alone, and bans nobody by itself', async () => {
  const address = { 'syslog-address': `unix://${ways.socketPath}` };
  const sent = { ...container({ logOptions: { ...address, tag: 'sent' } }), id: idOf('b2'), name: 'sent' };
  await ways.start([container(), sent]);
  await ways.sees('ready');
  const repeated = `message repeated 1000 times: [ ${bad(victim)}]`;
  ways.record(Date.now(), repeated, bad(ip(1)));
  await ways.sees('found', { ip: ip(1) });
  const socket = connect(ways.socketPath).on('error', () => undefined);
  socket.end(`<30>sent[1]: ${repeated}\n<30>sent[1]: ${bad(ip(2))}\n`);
  await ways.sees('found', { ip: ip(2) });
  expect(counts()).toEqual({ [victim]: 4, [ip(1)]: 1, [ip(2)]: 1 });
  expect(ways.of('ban')).toEqual([]);
});
