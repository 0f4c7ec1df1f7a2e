import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { engineConnector } from '../../src/docker/engine/engine-connector.ts';
import { networkSnapshot } from '../../src/docker/network-snapshot.ts';
import { EngineView } from '../../src/docker/engine-view.ts';
import type { ContainerSnapshot } from '../../src/docker/snapshot.ts';
import { FakeEngine, idOf, json, type FakeContainer } from './fake-engine.ts';

const signal = new AbortController().signal;
const optedIn = { 'fail2ban.jail': 'web' };

let engine: FakeEngine;
let view: EngineView;

beforeEach(async () => {
  engine = await new FakeEngine().start();
  engine.networks.push({ Id: 'net1', Name: 'ingress', Driver: 'overlay', Ingress: true });
  view = new EngineView();
});
afterEach(() => engine.stop());

function task(labels: Record<string, string>, more: Partial<FakeContainer> = {}): FakeContainer {
  const swarm = { 'com.docker.swarm.service.id': 'srv1', 'com.docker.swarm.task.id': 'tsk1' };
  const endpoints = { ingress: { NetworkID: 'net1' } };
  return {
    id: idOf('aa'),
    name: 'web.1.tsk1',
    labels: { ...swarm, ...labels },
    ports: {},
    endpoints,
    ...more,
  };
}

function service(labels: Record<string, string>, ...ports: readonly object[]) {
  return { ID: 'srv1', Spec: { Name: 'web', Labels: labels }, Endpoint: { Ports: ports } };
}

const ingress = (PublishedPort: number, Protocol = 'tcp') => ({
  Protocol,
  TargetPort: 80,
  PublishedPort,
  PublishMode: 'ingress',
});

async function list(): Promise<readonly ContainerSnapshot[]> {
  const client = await engineConnector(`unix://${engine.socketPath}`)(signal);
  return (await view.look(client, signal)).containers;
}

describe('a task of a Swarm service', () => {
  it('has the ports that its service publishes on the ingress network', async () => {
    engine.containers = [task(optedIn, { ports: { '90/tcp': [{ HostIp: '0.0.0.0', HostPort: '9090' }] } })];
    const host = { Protocol: 'tcp', TargetPort: 90, PublishedPort: 9090, PublishMode: 'host' };
    engine.services = [service({}, ingress(8080), ingress(53, 'udp'), host)];
    const [snapshot] = await list();
    expect(snapshot!.publishedPorts).toEqual([
      { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 9090, containerPort: 90 },
      { protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080, containerPort: 80 },
      { protocol: 'tcp', hostAddress: '::', hostPort: 8080, containerPort: 80 },
      { protocol: 'udp', hostAddress: '0.0.0.0', hostPort: 53, containerPort: 80 },
      { protocol: 'udp', hostAddress: '::', hostPort: 53, containerPort: 80 },
    ]);
    expect(snapshot!.hiddenServicePorts).toBeUndefined();
  });

  it('is asked for anew each time, although the container did not change', async () => {
    engine.containers = [task(optedIn)];
    engine.services = [service({}, ingress(8080))];
    await list();
    engine.services = [service({}, ingress(8081))];
    const [snapshot] = await list();
    expect(snapshot!.publishedPorts.map(({ hostPort }) => hostPort)).toEqual([8081, 8081]);
    expect(engine.count(/\/containers\/.+\/json/)).toBe(1);
  });

  it('may carry the labels by its service; those of the task stand', async () => {
    engine.containers = [task({ 'fail2ban.maxretry': '2' })];
    engine.services = [
      service({ ...optedIn, 'fail2ban.maxretry': '9', 'Fail2Ban.Port': '8', 'traefik.enable': 'true' }),
    ];
    const [snapshot] = await list();
    expect(snapshot!.labels).toMatchObject({
      'fail2ban.jail': 'web',
      'fail2ban.maxretry': '2',
      'Fail2Ban.Port': '8',
    });
    expect(snapshot!.labels).not.toHaveProperty('traefik.enable');
  });

  it.each([
    ['a network of its own', { mine: { NetworkID: 'net2' } }],
    ["one that has the name of Swarm's", { ingress: { NetworkID: 'net2' } }],
    ['no network', {}],
  ])('is not whoever says so: on %s it has no port of the service', async (_, endpoints) => {
    engine.networks.push({ Id: 'net2', Name: 'ingress', Driver: 'overlay' });
    engine.containers = [task(optedIn, { endpoints })];
    engine.services = [service({}, ingress(8080))];
    expect(await list()).toMatchObject([{ publishedPorts: [] }]);
    engine.services = undefined;
    view = new EngineView();
    const [snapshot] = await list();
    expect(snapshot!.publishedPorts).toEqual([]);
    expect(snapshot!.hiddenServicePorts).toBeUndefined();
  });

  it('is left alone if neither has a label', async () => {
    engine.containers = [task({})];
    engine.services = [service({ 'traefik.enable': 'true' }, ingress(8080))];
    expect(await list()).toEqual([]);
  });

  it.each([
    ['a worker', 503, 'This node is not a swarm manager.'],
    ['a socket proxy that keeps services back', 403, 'Forbidden'],
  ])('has ports that cannot be known behind %s', async (_, status, message) => {
    engine.containers = [task(optedIn), { id: idOf('bb'), name: 'other', labels: optedIn }];
    engine.intercept = (path, response) => {
      if (!path.startsWith('/services')) return false;
      json(response, status, { message });
      return true;
    };
    const [snapshot, other] = await list();
    expect(snapshot).toMatchObject({ hiddenServicePorts: true, publishedPorts: [] });
    expect(other!.hiddenServicePorts).toBeUndefined();
  });

  it('keeps what it published as long as the services can not be asked for', async () => {
    engine.containers = [task(optedIn)];
    engine.services = [service({}, ingress(8080))];
    const known = await list();
    engine.intercept = (path, response) => {
      if (!path.startsWith('/services')) return false;
      response.destroy();
      return true;
    };
    expect(await list()).toEqual(known);
  });

  it('costs nothing where there is none', async () => {
    engine.containers = [{ id: idOf('bb'), name: 'plain', labels: optedIn }];
    await list();
    expect(engine.count(/services/)).toBe(0);
  });
});

describe('addresses of a container', () => {
  it('are told by network, as far as it has any', async () => {
    const endpoints = {
      lan: { IPAddress: '192.0.2.200', GlobalIPv6Address: '2001:db8::c8' },
      none: { IPAddress: '', GlobalIPv6Address: '' },
    };
    engine.containers = [{ id: idOf('bb'), name: 'tv', labels: optedIn, endpoints }];
    const [snapshot] = await list();
    expect(snapshot!.addresses).toEqual({ lan: ['192.0.2.200', '2001:db8::c8'] });
    expect(snapshot!.networks).toEqual(['lan', 'none']);
  });
});

describe('the parent of a network', () => {
  it('is what its options name', async () => {
    engine.networks = [
      { Name: 'lan', Driver: 'macvlan', Options: { parent: 'eth0.50', macvlan_mode: 'bridge' } },
      { Name: 'dummy', Driver: 'ipvlan', Options: {} },
      { Name: 'old', Driver: 'bridge', Options: null },
    ];
    const client = await engineConnector(`unix://${engine.socketPath}`)(signal);
    const networks = (await client.listNetworks(signal)).entries.map(
      (entry) => networkSnapshot(entry).network,
    );
    expect(networks.map(({ parent }) => parent)).toEqual(['eth0.50', undefined, undefined]);
  });
});
