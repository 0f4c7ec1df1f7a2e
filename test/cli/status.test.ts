import { describe, expect, it } from 'vitest';
import { status } from '../../src/cli/commands/status.ts';
import { ControlClient } from '../../src/control/client.ts';
import { fakeController } from '../control/fake-controller.ts';

/** What `status` prints where these things are not enforced. */
async function printed(troubles: readonly string[]): Promise<string> {
  const client = new ControlClient('/nowhere');
  const found = fakeController().status();
  client.status = async () => ({ ...found, firewall: { ...found.firewall, healthy: false, troubles } });
  let text = '';
  expect(await status(client, undefined, false, (more) => void (text += more))).toBe(0);
  return text;
}

const tree = 'Status\n|- Number of jail:\t1\n`- Jail list:\tnginx-proxy\n';

describe('status', () => {
  it('says below the tree what is not enforced', async () => {
    expect(await printed([])).toBe(tree);
    const [ipv6, locked] = [
      'bans of jail sshd are not enforced over IPv6: no such table',
      'the lock is held',
    ];
    expect(await printed([ipv6, locked])).toBe(`${tree}Not enforced: ${ipv6}\nNot enforced: ${locked}\n`);
  });

  it.each([
    [['journal'], 'Journal matches:\t_SYSTEMD_UNIT=sshd.service + _UID=0'],
    [['journal:web', 'journal'], 'Journal matches:\t_SYSTEMD_UNIT=sshd.service + _UID=0'],
    [['journal', '/var/log/auth.log'], 'File list:\tjournal /var/log/auth.log'],
    [['/var/log/journal.log'], 'File list:\t/var/log/journal.log'],
    [[], 'File list:\t'],
  ])('of a jail that reads %j says what of it, as fail2ban does', async (sources, line) => {
    const client = new ControlClient('/nowhere');
    const controller = fakeController();
    const found = controller.jail('nginx-proxy')!;
    const options = controller.live.options('nginx-proxy')!;
    client.jail = async () => ({ ...found, sources });
    client.options = async () => ({ ...options, journalmatch: ['_SYSTEMD_UNIT=sshd.service', '_UID=0'] });
    let text = '';
    expect(await status(client, 'nginx-proxy', false, (more) => void (text += more))).toBe(0);
    expect(text.split('\n')[4]).toBe(`|  \`- ${line}`);
  });
});
