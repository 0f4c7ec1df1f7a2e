import { expect, it } from 'vitest';
import { resolveJails } from '../../../src/config/resolve.ts';
import { treeOf } from '../tree.ts';

const builtin = { 'filter.d/app.conf': '[Definition]\nfailregex = ^<HOST>$\n' };

/** What a ban of a jail of host services closes that has this action, and the problems that are told of it. */
function resolved(action: string, files: Record<string, string>) {
  const jail = `[app]\nenabled = true\nport = 25\nlogpath = /var/log/app.log\naction = ${action}\n`;
  const { jails, problems } = resolveJails({
    tree: treeOf({ 'jail.local': jail, ...files }, builtin),
    containers: [],
    compileFilter: () => undefined,
  });
  return { closes: jails[0]!.closes, messages: problems.map(({ message }) => message) };
}

const definition = (text: string): string => `[Definition]\n${text}\n`;

it.each([
  ['iptables -I DOCKER-USER -s <ip> -j DROP', 'all'],
  ['/sbin/ip6tables -w -I INPUT 1 -s <ip> -p tcp --dport 8443 -j REJECT', [8443]],
  ['<iptables> -I f2b-<name> 1 -s <ip> -p tcp -m multiport --dports <port> -j <blocktype>', [80, 443]],
  ['nft add rule inet filter forward ip saddr <ip> tcp dport { 8080 } drop', [8080]],
  ['ipset add blocked <ip> -exist', 'all'],
  ['ufw insert 1 deny from <ip> to any port 22', [22]],
])('an action of the user’s closes what its commands do: %s', (actionban, ports) => {
  const { closes, messages } = resolved('mine[port="80,443"]', {
    'action.d/mine.conf': definition(`actionban = ${actionban}`),
  });
  expect(closes === 'all' ? closes : closes.map(({ first }) => first)).toEqual(ports);
  expect(messages).toEqual([]);
});

it('its ports may stand where it starts, and in its own [Init]', () => {
  const { closes } = resolved('mine', {
    'action.d/mine.conf':
      definition(
        'actionstart = iptables -N f2b-<name>\n  iptables -I FORWARD -p <protocol> -m multiport --dports <port> -j f2b-<name>\nactionban = iptables -I f2b-<name> 1 -s <ip> -j DROP',
      ) + '[Init]\nport = 8025\nprotocol = tcp\n',
  });
  expect(closes).toMatchObject([{ first: 8025, last: 8025 }]);
});

it.each([['curl -d ip=<ip> https://example.org/ban'], ['printf "Subject: banned <ip>" | sendmail root']])(
  'one that only tells of a ban is not run: %s',
  (actionban) => {
    const { messages } = resolved('iptables-multiport[port="25"]\n mine', {
      'action.d/mine.conf': definition(`actionban = ${actionban}`),
    });
    expect(messages).toEqual([expect.stringContaining('action mine is not run')]);
  },
);
