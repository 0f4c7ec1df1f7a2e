import { describe, expect, it } from 'vitest';
import { unfilteredNetworks } from '../../src/config/unfiltered-networks.ts';
import { container } from './container.ts';

const network = (name: string, driver: string) => ({ name, driver, subnets: [], gateways: [] });

describe('containers that stand in the local network by themselves', () => {
  it.each(['macvlan', 'ipvlan'])('on %s: bans are not enforced there, which is said', (driver) => {
    const on = (name: string, ...networks: string[]) => ({ ...container(name, {}), networks });
    const problems = unfilteredNetworks(
      [on('web', 'front'), on('tv', 'lan', 'front'), on('db')],
      [network('front', 'bridge'), network('lan', driver)],
    );
    expect(problems).toMatchObject([
      { where: 'container tv, network lan', severity: 'warn', container: 'tv' },
    ]);
  });
});
