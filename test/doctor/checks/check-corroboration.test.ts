import { expect, it } from 'vitest';
import { checkCorroboration } from '../../../src/doctor/checks/check-corroboration.ts';
import type { FirewallFacts } from '../../../src/doctor/facts/firewall-facts.ts';
import { emptyListing, parseListing } from '../../../src/firewall/nft/listing.ts';
import { visitorsTable } from '../../../src/firewall/visitors/visitors-table.ts';

const ports = [{ protocol: 'tcp', first: 80, last: 80, hostAddress: undefined }] as const;
const jails = [
  { name: 'web', corroboration: { ports } },
  { name: 'shop', corroboration: { ports } },
  { name: 'all', corroboration: { off: 'a ban closes all ports' } },
];
const [family, name] = visitorsTable.split(' ');
const noting = parseListing(
  JSON.stringify({ nftables: [{ chain: { family, table: name, name: 'note', handle: 1 } }] }),
  visitorsTable,
);

function factsWith(visitors: typeof noting): Pick<FirewallFacts, 'nft'> {
  const none = emptyListing('inet none');
  return { nft: { inet: none, ingress: none, meter: none, visitors, flowtables: [] } };
}

it('names the jails whose bans need a connection, and why others do not', () => {
  expect(checkCorroboration(factsWith(noting), jails, true)).toMatchObject([
    { severity: 'ok', what: "bans of web, shop need a connection of the address to the jail's ports" },
    {
      severity: 'ok',
      what: 'bans of all are not checked against connections: a ban closes all ports',
    },
  ]);
});

it('warns where a controller runs and nobody is noted', () => {
  const missing = factsWith(emptyListing(visitorsTable));
  expect(checkCorroboration(missing, jails, true)[0]).toMatchObject({
    severity: 'warning',
    consequence: expect.stringContaining('web, shop'),
  });
  expect(checkCorroboration(missing, jails, false)).toHaveLength(1);
});
