import { expect, it } from 'vitest';
import { foreignHost } from '../../../src/config/networks/foreign-host.ts';

const networks = [
  { name: 'app', driver: 'bridge', subnets: ['172.18.0.0/16'], gateways: ['172.18.0.1'] },
  { name: 'host', driver: 'host', subnets: [], gateways: [] },
];
const web = { name: 'web', networks: ['app'] };

it('is the host that the containers are on', () => {
  expect(foreignHost(['192.0.2.10', '172.18.0.1'], [web], networks)).toEqual([]);
});

it('is another network namespace: bans would hold nothing, and the fix is named', () => {
  expect(foreignHost(['127.0.0.1', '172.18.0.9'], [web], networks)).toEqual([
    expect.objectContaining({
      severity: 'warn',
      message: expect.stringMatching(/^bans are not enforced: .*web/),
      fix: expect.stringContaining('network_mode: host'),
    }),
  ]);
});

it('cannot be told while no container is on a bridge, which is down then', () => {
  expect(foreignHost(['192.0.2.10'], [], networks)).toEqual([]);
  expect(foreignHost(['192.0.2.10'], [{ name: 'dns', networks: ['host'] }], networks)).toEqual([]);
});
