import { describe, expect, it } from 'vitest';
import { unfilteredNetworks } from '../../../src/config/networks/unfiltered-networks.ts';
import { container } from '../container.ts';

const network = (name: string, driver: string, parent?: string) => ({
  name,
  driver,
  subnets: [],
  gateways: [],
  ...(parent !== undefined && { parent }),
});
const on = (name: string, ...networks: string[]) => ({
  ...container(name, {}),
  networks,
  addresses: Object.fromEntries(networks.map((each) => [each, ['192.0.2.200']])),
});

describe('containers that stand in the local network by themselves', () => {
  it.each(['macvlan', 'ipvlan'])(
    'on %s without a parent: bans are not enforced there, which is said',
    (driver) => {
      const problems = unfilteredNetworks(
        [on('web', 'front'), on('tv', 'lan', 'front'), on('db')],
        [network('front', 'bridge'), network('lan', driver)],
      );
      expect(problems).toMatchObject([
        { where: 'container tv, network lan', severity: 'warn', container: 'tv' },
      ]);
      expect(problems[0]!.message).toMatch(/^bans are not enforced on this network/);
    },
  );

  it.each(['macvlan', 'ipvlan'])('on %s with a parent: who is not shut out is said', (driver) => {
    const problems = unfilteredNetworks([on('tv', 'lan')], [network('lan', driver, 'eth0')]);
    expect(problems).toMatchObject([{ where: 'container tv, network lan', severity: 'info' }]);
    expect(problems[0]!.message).toMatch(
      /enforced where packets enter by eth0.*This host and other containers/,
    );
  });
});
