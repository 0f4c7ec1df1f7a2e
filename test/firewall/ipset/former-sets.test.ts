import { afterEach, beforeEach, expect, it } from 'vitest';
import { DockerUserFirewall } from '../../../src/firewall/iptables/docker-user.ts';
import type { GuardedJail } from '../../../src/firewall/firewall.ts';
import { NeverBan } from '../../../src/firewall/bans/never-ban.ts';
import { NftablesFirewall } from '../../../src/firewall/nft/nftables.ts';
import { formerJailSet, jailSet } from '../../../src/firewall/bans/set-names.ts';
import { SimulatedKernel } from '../simulated-kernel.ts';

const name = 'a-jail-with-a-name-that-does-not-fit';
const long: GuardedJail = { name, closes: 'all', blocktype: 'drop' };
const [former, present] = [formerJailSet(name, 4), jailSet(name, 4)];
const neverBan = new NeverBan({ host: [], gateways: [], dockerSubnets: [] });
const ip = '203.0.113.9';

let kernel: SimulatedKernel;
beforeEach(() => {
  kernel = new SimulatedKernel();
});
afterEach(() => kernel[Symbol.dispose]());

const stored = () => [{ jail: name, ip, since: kernel.now, until: kernel.now + 600_000 }];

it('ipset: the set of a version before stays until the rules refer to the new one, which the store has filled', async () => {
  const create = 'family inet maxelem 16777216 timeout 0';
  kernel.sets.restore(
    `create ${former} hash:net ${create}\nadd ${former} ${ip} timeout 600\n` +
      `create dock2ban-4 hash:net ${create}\nadd dock2ban-4 ${ip} timeout 600\n`,
  );
  const { procNet } = kernel;
  const fw = new DockerUserFirewall({
    tools: kernel,
    procNet,
    now: () => kernel.now,
    neverBan: () => neverBan,
  });
  await fw.open();
  expect((await fw.takeOver([name])).get(name)).toEqual([]);
  await fw.ban(stored());
  expect(kernel.sets.members(former).has(ip)).toBe(true);
  expect(kernel.sets.members(present).has(ip)).toBe(true);
  await fw.reconcile([long]);
  await fw.reconcile([long]);
  expect(kernel.sets.has(former)).toBe(false);
  expect(kernel.sets.members(present).has(ip)).toBe(true);
  expect(await fw.reconcile([long])).toEqual({ repairs: [], shortfalls: [], refused: [] });
});

it('nftables: it goes in the transaction that writes the new one', async () => {
  const old = new NftablesFirewall({ tools: kernel, now: () => kernel.now, neverBan: () => neverBan });
  await old.open();
  await old.reconcile([]);
  kernel.nft.script(
    `add set inet dock2ban ${former} { type ipv4_addr; flags timeout; }\n` +
      `add element inet dock2ban ${former} { ${ip} timeout 600s }\n`,
  );
  const fw = new NftablesFirewall({ tools: kernel, now: () => kernel.now, neverBan: () => neverBan });
  await fw.open();
  expect((await fw.takeOver([name])).get(name)).toEqual([]);
  await fw.ban(stored());
  await fw.reconcile([long]);
  expect(kernel.nft.sets()).not.toContain(former);
  expect(kernel.nft.elements(present).has(ip)).toBe(true);
  expect(await fw.reconcile([long])).toEqual({ repairs: [], shortfalls: [], refused: [] });
});
