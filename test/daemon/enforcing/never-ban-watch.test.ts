import { expect, it } from 'vitest';
import { NeverBanWatch } from '../../../src/daemon/enforcing/never-ban-watch.ts';
import type { ContainerSnapshot, DockerSnapshot } from '../../../src/docker/snapshot.ts';

const web: ContainerSnapshot = {
  id: 'a'.repeat(64),
  name: 'web',
  image: 'web',
  labels: {},
  createdAt: 0,
  hostNetwork: false,
  networks: ['app'],
  publishedPorts: [],
  logging: { driver: 'json-file', options: {}, tag: 'web' },
};

function docker(gateway: string): DockerSnapshot {
  const networks = [{ name: 'app', driver: 'bridge', subnets: [`${gateway}/32`], gateways: [gateway] }];
  return { containers: [web], awaited: [], networks } as unknown as DockerSnapshot;
}

it('says when the containers are on the bridge of another host', () => {
  const elsewhere = docker('192.0.2.201');
  const watch = new NeverBanWatch(() => elsewhere.networks);
  expect(watch.foreignHost(undefined)).toEqual([]);
  // TEST-NET: no machine has it. Loopback is on every one.
  watch.look();
  expect(watch.foreignHost(elsewhere)).toHaveLength(1);
  expect(watch.foreignHost(docker('127.0.0.1'))).toEqual([]);
});
