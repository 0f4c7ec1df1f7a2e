import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { engineConnector } from '../../src/docker/engine/engine-connector.ts';
import type { ConnectDocker } from '../../src/docker/engine/engine-client.ts';
import type { ContainerSnapshot, DockerSnapshot } from '../../src/docker/snapshot.ts';
import { watchDocker, type DockerUpdate, type WatchOptions } from '../../src/docker/watch.ts';
import { FakeEngine, engine20, engine29, idOf, json, type FakeContainer } from './fake-engine.ts';

const event = '{"Type":"container","Action":"start","id":"x"}\n';

function proxy(changes: Partial<FakeContainer> = {}): FakeContainer {
  return {
    id: idOf('aa'),
    name: 'proxy',
    labels: { 'fail2ban.jail': 'nginx-proxy' },
    ports: {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
      '443/tcp': null,
    },
    logDriver: 'syslog',
    logOptions: { tag: '{{.Name}}' },
    ...changes,
  };
}

/** The updates of one watch, one at a time. */
class Watch {
  readonly stop = new AbortController();
  readonly #updates: AsyncGenerator<DockerUpdate, void, undefined>;

  constructor(connect: ConnectDocker, options: Partial<WatchOptions> = {}) {
    const { signal } = this.stop;
    this.#updates = watchDocker({ connect, signal, logger: { debug: () => undefined }, ...options });
  }

  async next(): Promise<DockerUpdate> {
    const { value } = await this.#updates.next();
    if (!value) throw new Error('the watch has ended');
    return value;
  }

  async snapshot(): Promise<DockerSnapshot> {
    const update = await this.next();
    if (update.type !== 'snapshot') throw update.error;
    return update.snapshot;
  }

  async containers(): Promise<readonly ContainerSnapshot[]> {
    return (await this.snapshot()).containers;
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.#updates.return();
  }
}

let engine: FakeEngine;
let watch: Watch;

function startWatch(options: Partial<WatchOptions> = {}): Watch {
  watch = new Watch(engineConnector(`unix://${engine.socketPath}`), options);
  return watch;
}

beforeEach(async () => {
  engine = await new FakeEngine().start();
});

afterEach(async () => {
  await watch?.end();
  await engine.stop();
});

describe('the first snapshot', () => {
  it('holds the containers that opted in and every network', async () => {
    engine.containers = [proxy(), { id: idOf('bb'), name: 'other' }];
    engine.networks = [
      {
        Name: 'web',
        Driver: 'bridge',
        IPAM: {
          Config: [
            { Subnet: '172.18.0.0/16', Gateway: '172.18.0.1/16' },
            { Subnet: 'fd00::/64', Gateway: 'fd00::1' },
          ],
        },
      },
      { Name: 'host', Driver: 'host', IPAM: { Config: null } },
    ];
    expect(await startWatch().snapshot()).toEqual({
      engine: { version: '20.10.24', apiVersion: '1.41', firewallBackend: undefined },
      containers: [
        {
          id: idOf('aa'),
          name: 'proxy',
          image: 'nginx:1',
          imageId: `sha256:${'ab'.repeat(32)}`,
          labels: { 'fail2ban.jail': 'nginx-proxy' },
          createdAt: Date.UTC(2026, 10, 22, 13, 44, 53, 123),
          hostNetwork: false,
          networks: ['bridge'],
          publishedPorts: [
            { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080, containerPort: 80 },
            { protocol: 'tcp', hostAddress: '::', hostPort: 8080, containerPort: 80 },
          ],
          logging: { driver: 'syslog', options: { tag: '{{.Name}}' }, tag: 'proxy' },
        },
      ],
      networks: [
        {
          name: 'web',
          driver: 'bridge',
          subnets: ['172.18.0.0/16', 'fd00::/64'],
          gateways: ['172.18.0.1', 'fd00::1'],
        },
        { name: 'host', driver: 'host', subnets: [], gateways: [] },
      ],
    });
    expect(engine.count(/\/containers\/bb.*\/json/)).toBe(0);
  });

  it.each([engine20, engine29])('is got from engine $version in its own API version', async (api) => {
    await engine.stop();
    engine = await new FakeEngine(api).start();
    engine.info = { FirewallBackend: { Driver: 'nftables' } };
    const snapshot = await startWatch().snapshot();
    expect(snapshot.engine).toEqual({
      version: api.version,
      apiVersion: api.max,
      firewallBackend: 'nftables',
    });
    expect(engine.requests).toContain(`/v${api.max}/containers/json?all=true`);
  });

  it('subscribes to events before it lists, so that nothing falls between', async () => {
    await startWatch().snapshot();
    const paths = engine.requests.map((path) => path.replace(/\?.*/, ''));
    expect(paths.indexOf('/v1.41/events')).toBeLessThan(paths.indexOf('/v1.41/containers/json'));
  });

  it('skips a container that vanishes between list and inspection', async () => {
    engine.containers = [proxy(), proxy({ id: idOf('cc'), name: 'gone' })];
    engine.intercept = (path, response) => {
      if (!path.includes('/containers/cc')) return false;
      json(response, 404, { message: 'No such container' });
      return true;
    };
    expect((await startWatch().containers()).map(({ name }) => name)).toEqual(['proxy']);
  });

  it('knows host networking, and the ports of the container whose network is shared', async () => {
    engine.containers = [
      proxy({ networkMode: 'host', ports: {} }),
      proxy({ id: idOf('bb'), name: 'behind-vpn', networkMode: `container:${idOf('cc')}`, ports: {} }),
      { id: idOf('cc'), name: 'vpn', ports: { '53/udp': [{ HostIp: '', HostPort: '53' }] } },
    ];
    const [onHost, behindVpn, ...more] = await startWatch().containers();
    expect(onHost).toMatchObject({ hostNetwork: true, publishedPorts: [] });
    expect(behindVpn).toMatchObject({
      hostNetwork: false,
      publishedPorts: [
        { protocol: 'udp', hostAddress: '0.0.0.0', hostPort: 53 },
        { protocol: 'udp', hostAddress: '::', hostPort: 53 },
      ],
    });
    expect(more).toEqual([]);
  });
});

describe('changes', () => {
  it.each([
    ['an event', [event]],
    ['two events in one chunk', [event + event]],
    ['an event split over three chunks', [event.slice(0, 9), event.slice(9, 20), event.slice(20)]],
    ['an event without a final newline', [event.trim()]],
  ])('are seen after %s', async (_, chunks) => {
    await startWatch().snapshot();
    engine.containers = [proxy()];
    const changed = watch.containers();
    await engine.emit(...chunks);
    expect((await changed).map(({ name }) => name)).toEqual(['proxy']);
  });

  it('share one re-list when events come in a burst', async () => {
    await startWatch().snapshot();
    const before = engine.count(/containers\/json/);
    engine.containers = [proxy()];
    const changed = watch.snapshot();
    for (let i = 0; i < 20; i++) await engine.emit(event);
    await changed;
    expect(engine.count(/containers\/json/) - before).toBeLessThanOrEqual(10);
  });

  it('however many, take a fifth of a processor at most, where lists are long', async () => {
    const others = Array.from({ length: 20_000 }, (_, n) => ({ id: idOf(`b${n}x`), name: `other${n}` }));
    engine.containers = [proxy(), ...others];
    const started = process.threadCpuUsage();
    await startWatch().snapshot();
    const { user, system } = process.threadCpuUsage(started);
    // With what the engine of the test costs, which is in the same thread.
    const costOfList = (user + system) / 1000;
    const lists = (): number => engine.count(/containers\/json/);
    const before = lists();
    const begun = performance.now();
    const next = watch.next().catch(() => undefined);
    while (performance.now() - begun < 12 * costOfList) await engine.emit(event);
    const count = lists() - before;
    engine.containers = [];
    await next;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(5);
  }, 60_000);

  it('during a list are not missed', async () => {
    await startWatch().snapshot();
    let held = false;
    engine.intercept = async (path) => {
      if (path === '/networks' && !held) {
        held = true;
        // The list of containers was answered already: what changes now is in the next one only.
        engine.containers = [proxy()];
        await engine.emit(event);
      }
      return false;
    };
    const changed = watch.containers();
    await engine.emit(event);
    expect(await changed).toHaveLength(1);
  });

  it('that no event told are seen by the periodic re-list', async () => {
    await startWatch({ relistEvery: 30 }).snapshot();
    engine.containers = [proxy()];
    expect(await watch.containers()).toHaveLength(1);
  });

  it('are no news when the snapshot stays the same, and cost no inspection', async () => {
    engine.containers = [proxy()];
    await startWatch().snapshot();
    const changed = watch.containers();
    await engine.emit(event);
    await vi.waitFor(() => expect(engine.count(/containers\/json/)).toBeGreaterThan(1));
    expect(engine.count(/containers\/aa/)).toBe(1);
    engine.containers = [];
    await engine.emit(event);
    expect(await changed).toEqual([]);
  });

  it('of the name keep the log tag until the container starts again', async () => {
    engine.containers = [proxy({ startedAt: '2026-11-22T13:00:00Z' })];
    await startWatch().snapshot();
    const renamed = watch.containers();
    engine.containers = [proxy({ name: 'web', startedAt: '2026-11-22T13:00:00Z' })];
    await engine.emit(event);
    expect((await renamed)[0]).toMatchObject({ name: 'web', logging: { tag: 'proxy' } });
    const restarted = watch.containers();
    engine.containers = [proxy({ name: 'web', startedAt: '2026-11-22T14:00:00Z' })];
    await engine.emit(event);
    expect((await restarted)[0]).toMatchObject({ name: 'web', logging: { tag: 'web' } });
  });

  it('to a restarting container leave the ports it had', async () => {
    engine.containers = [proxy()];
    const [running] = await startWatch().containers();
    engine.containers = [
      proxy({ state: 'restarting', ports: {} }),
      proxy({ id: idOf('bb'), name: 'second' }),
    ];
    const changed = watch.containers();
    await engine.emit(event);
    expect((await changed)[0]).toEqual(running);
  });

  it('to exited take a container out', async () => {
    engine.containers = [proxy()];
    await startWatch().snapshot();
    engine.containers = [proxy({ state: 'exited' })];
    const changed = watch.containers();
    await engine.emit(event);
    expect(await changed).toEqual([]);
  });
});

describe('losses', () => {
  it('are told once, with what to do, until the engine is back', async () => {
    await startWatch({ random: () => 0.99 }).snapshot();
    await engine.stop();
    const lost = await watch.next();
    expect(lost).toMatchObject({ type: 'lost', error: { code: 'docker-unreachable' } });
    expect(lost.type === 'lost' && lost.error.fix).toMatch(
      /start the service docker-socket|is the engine running/,
    );
    const back = watch.next();
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
    engine.containers = [proxy()];
    await engine.start();
    expect(await back).toMatchObject({ type: 'snapshot', snapshot: { containers: [{ name: 'proxy' }] } });
  });

  it('at the start are told once, and the engine is waited for', async () => {
    await engine.stop();
    expect((await startWatch().next()).type).toBe('lost');
    const up = watch.snapshot();
    await engine.start();
    expect((await up).engine.version).toBe('20.10.24');
  });

  it('are not told when only the stream was cut and the engine answers', async () => {
    await startWatch().snapshot();
    engine.cutStreams();
    engine.containers = [proxy()];
    expect((await watch.next()).type).toBe('snapshot');
  });

  it('include an answer that breaks off in the middle', async () => {
    engine.intercept = (path, response) => {
      if (!path.startsWith('/containers/json')) return false;
      response.writeHead(200, { 'content-length': 1000 });
      response.write('[{');
      setTimeout(() => response.socket?.destroy(), 10);
      return true;
    };
    watch = new Watch(engineConnector(`unix://${engine.socketPath}`, { timeout: 200 }));
    expect(await watch.next()).toMatchObject({
      type: 'lost',
      error: { message: expect.stringMatching(/containers/) },
    });
  });

  it.each([
    [403, { message: 'Forbidden' }, 'docker-forbidden'],
    [500, { message: 'broken' }, 'docker-refused'],
    [200, 'no engine', 'docker-refused'],
  ])('name what was answered with %i', async (status, body, code) => {
    engine.intercept = (path, response) => {
      if (!path.startsWith('/containers/json')) return false;
      json(response, status, body);
      return true;
    };
    expect(await startWatch().next()).toMatchObject({
      type: 'lost',
      error: { code, message: expect.stringContaining('GET /containers/json') },
    });
  });

  it('are tried again with exponential backoff of at most 15 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    try {
      const tries: number[] = [];
      const refused: ConnectDocker = async () => {
        tries.push(performance.now());
        throw new Error('refused');
      };
      watch = new Watch(refused, { random: () => 0 });
      await watch.next();
      void watch.next().catch(() => undefined);
      await vi.advanceTimersByTimeAsync(60_000);
      const delays = tries.slice(1).map((at, i) => at - tries[i]!);
      expect(delays.slice(0, 10)).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000]);
      watch.stop.abort();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the end', () => {
  it('comes at once on abort, and leaves no connection', async () => {
    await startWatch().snapshot();
    const next = watch.next().catch((error: unknown) => error);
    await vi.waitFor(() => expect(engine.subscribers).toBe(1));
    const begun = performance.now();
    await watch.end();
    expect(await next).toBeInstanceOf(Error);
    expect(performance.now() - begun).toBeLessThan(100);
    await vi.waitFor(() => expect(engine.openConnections).toBe(0));
  });

  it('comes at once while the engine keeps an answer back', async () => {
    engine.intercept = (path) => path === '/networks';
    const next = startWatch()
      .next()
      .catch((error: unknown) => error);
    await vi.waitFor(() => expect(engine.count(/networks/)).toBe(1));
    await watch.end();
    expect(await next).toBeInstanceOf(Error);
    await vi.waitFor(() => expect(engine.openConnections).toBe(0));
  });
});
