import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkSavedRules } from '../../../src/doctor/checks/check-saved-rules.ts';
import { readSavedRules } from '../../../src/doctor/facts/saved-rules.ts';

const v4 = '/etc/iptables/rules.v4';
const nft = '/etc/nftables.conf';

describe('checkSavedRules', () => {
  it.each([
    [
      v4,
      '*filter\n-A DOCKER-USER -j DOCK2BAN\nCOMMIT\n',
      'iptables-save | grep -vi dock2ban > /etc/iptables',
    ],
    [v4, '*filter\n:DOCK2BAN - [0:0]\nCOMMIT\n', 'iptables-save'],
    ['/etc/iptables/rules.v6', '-A X -m set --match-set dock2ban-6 src -j DROP\n', 'ip6tables-save'],
    [nft, 'table inet dock2ban {\n}\n', 'keep only tables of your own'],
    [nft, 'table inet dock2ban-visitors {\n}\n', 'keep only tables of your own'],
  ])('warns of ours in %s: %j', (path, text, remedy) => {
    const [finding, ...more] = checkSavedRules([{ path, text }]);
    expect(more).toEqual([]);
    expect(finding).toMatchObject({ severity: 'warning', what: `${path} holds rules of dock2ban's` });
    expect(finding!.remedy).toContain(remedy);
  });

  it.each([
    [v4, '*filter\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n'],
    [v4, '# saved without -j DOCK2BAN\n*filter\nCOMMIT\n'],
    [nft, 'table inet filter {\n  # not table inet dock2ban\n}\n'],
  ])('has nothing against the others in %s: %j', (path, text) => {
    expect(checkSavedRules([{ path, text }])).toMatchObject([{ severity: 'ok' }]);
  });
});

describe('readSavedRules', () => {
  it('reads the files that are there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'dock2ban-rules-'));
    const path = join(folder, 'rules.v4');
    writeFileSync(path, '*filter\n');
    expect(await readSavedRules([join(folder, 'none'), path])).toEqual([{ path, text: '*filter\n' }]);
    rmSync(folder, { recursive: true });
  });
});
