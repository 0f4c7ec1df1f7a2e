import { jailRows } from './client-table-jails.ts';
import { other, same, sameWith, typed, type Row } from './client-table-row.ts';

/** The two answers that fail2ban 1.1 has and 1.0 has not. */
const everyJail = [
  'Status',
  '|- Number of jail:\t2',
  '|- Jail list:\tapp, web',
  '`- Status for the jails:',
  '   |- Jail: app',
  '   |  |- Filter',
  '   |  |  |- Currently failed:\t0',
  '   |  |  |- Total failed:\t0',
  '   |  |  `- File list:\t<dir>/log/app',
  '   |  `- Actions',
  '   |     |- Currently banned:\t0',
  '   |     `- Total banned:\t0',
  '   `- Jail: web',
  '      |- Filter',
  '      |  |- Currently failed:\t0',
  '      |  |- Total failed:\t0',
  '      |  `- File list:\t<dir>/log/web <dir>/log/web-tls',
  '      `- Actions',
  '         |- Currently banned:\t0',
  '         `- Total banned:\t0',
].join('\n');
const table = [
  '          ║          ║ Filter    ║ Actions  ',
  ' Jail     ║ Backend  ╟───────────╫───────────',
  '          ║          ║ cur │ tot ║ cur │ tot',
  '══════════╬══════════╬═══════════╬═══════════',
  ' app      ║ file     ║   0 │   0 ║   0 │   0',
  ' web      ║ file     ║   0 │   0 ║   0 │   0',
  '══════════╩══════════╩═══════════╩═══════════',
].join('\n');

const ownActions = "dock2ban bans by its own firewall: a jail's actions can't be shown or changed";
const noActions = 'bans are dock2ban’s own, in Docker’s chains: there are no actions to configure';
const configured = 'log files, journal matches and jails come from the configuration and from labels';
const startOptions = 'this is given when dock2ban starts, and stands for the life of the container';
const newer = 'fail2ban 1.0 has no such command; this is the answer of fail2ban 1.1';
const asMade =
  'a ban lasts as it was made; of those made by hand, fail2ban lets the end follow the option bantime';
const clearer = 'the same refusal, in words that are not Python’s';

/** What goes on. */
const overview: Row[] = [
  ...same('ping', '-q ping', 'ping 1', 'version', 'server-status', 'echo hello world', 'frobnicate', 'help'),
  ...same(
    '--str2sec 1d12h30m',
    '--str2sec 1h-30m',
    '-t',
    'status',
    'status app',
    'status web',
    'status nope',
  ),
  ...same(
    'status app basic',
    'status app short',
    'status app cymru',
    'status app what',
    'status app basic more',
  ),
  ...same('banned', 'banned 203.0.113.9', 'get app banip', 'get app banned'),
  ...same('sleep 0.05', 'sleep', 'sleep x', 'sleep -1', 'sleep 1e-2 2'),
  typed('-i', 'ping', 'status app', 'get app nothing', 'frobnicate', 'echo "two  words" \'"\' a\\ b', 'exit'),
  typed('-i', 'status "app', '', '   ', 'banned', 'get "app" bantime', 'quit', 'ping'),
  typed('-i', 'ping'),
  typed('-i ping', 'exit'),
  typed('-i get nope bantime', 'ping', 'exit'),
  other(newer, 'status --all short', 0, everyJail),
  other(newer, 'stats', 0, table),
];

/** Bans by hand. */
const bans: Row[] = [
  ...same(
    'set app banip 203.0.113.9',
    'set app banip 203.0.113.9',
    'set app banip 203.0.113.10 203.0.113.11',
  ),
  ...same(
    'set app banip 2001:db8::1',
    'set web banip 203.0.113.10',
    'status app',
    'status app short',
    'status web',
  ),
  ...same('get app banip', 'get app banip ,', 'get app banip --with-time', 'get web banip --with-time'),
  ...same('get app banned', 'get app banned 203.0.113.9', 'get app banned 203.0.113.9 203.0.113.99'),
  ...same('banned', 'banned 203.0.113.10', 'banned 203.0.113.9 203.0.113.99'),
  ...same('set app unbanip 203.0.113.99', 'set app unbanip --report-absent 203.0.113.99'),
  ...same('set app unbanip --report-absent 203.0.113.9 203.0.113.98 203.0.113.99', 'get app banip'),
  ...same(
    'set app unbanip 203.0.113.10 203.0.113.11',
    'unban 203.0.113.10',
    'unban 203.0.113.10',
    'status web',
  ),
  ...same('unban --all', 'banned', 'unban', 'set app unbanip', 'set app banip', 'set nope banip 203.0.113.9'),
  ...same('set nope unbanip 203.0.113.9', 'get nope banip', 'get nope banned'),
  ...same(
    'set app banip 203.0.113.64/26',
    'get app banip',
    'banned 203.0.113.64/26',
    'unban 203.0.113.64/26',
  ),
  ...same('set app banip 203.0.113.12 203.0.113.13', 'set app unbanip 203.0.113.0/24', 'status app'),
];

/** Failures, from logs and by hand. */
const failures: Row[] = [
  { log: 'app', logged: 'denied 203.0.113.20', until: 'Total failed:\t1' },
  { log: 'app', logged: 'denied 203.0.113.20 from the office', until: 'Total failed:\t1' },
  { log: 'app', logged: 'refused 203.0.113.21', until: 'Total failed:\t2' },
  ...same('status app', 'set web attempt 203.0.113.50', 'set web attempt 203.0.113.50', 'status web'),
  ...same('set web attempt 203.0.113.50'),
  { log: 'web', until: 'Currently banned:\t1' },
  ...same(
    'status web',
    'get web banip --with-time',
    'set web unbanip 203.0.113.50',
    'set nope attempt 203.0.113.50',
  ),
  ...same('set app attempt 203.0.113.60 one two three four five'),
  { log: 'app', until: 'Currently banned:\t1' },
  ...same('get app banip --with-time', 'unban 203.0.113.60'),
  other(clearer, 'set web attempt', 255, 'Sorry but the command is invalid'),
];

/** Options with one value. */
const options: Row[] = [
  ...same(
    'get app bantime',
    'set app bantime 1h',
    'get app bantime',
    'set app bantime 3600',
    'set app bantime -1',
  ),
  ...same('set app banip 203.0.113.30', 'get app banip --with-time', 'set app bantime 10m'),
  ...same('set app banip 203.0.113.31', 'get app banned'),
  other(asMade, 'get app banip', 0, '203.0.113.31 203.0.113.30'),
  ...same('unban --all'),
  other(clearer, 'set app bantime soon', 255, 'bantime: invalid duration "soon"'),
  ...same('get app bantime', 'set app bantime', 'set nope bantime 5', 'get nope bantime'),
  ...same('get app findtime', 'set app findtime 1d12h', 'set app findtime 600', 'get app maxretry'),
  ...same('set app maxretry 7', 'set app maxretry many', 'get app maxretry', 'set app maxretry 5'),
  ...same('get app maxmatches', 'set app maxmatches 3', 'get app maxlines', 'set app maxlines 0'),
  ...same(
    'set app maxlines 4',
    'set app maxlines 1',
    'get app usedns',
    'set app usedns no',
    'set app usedns what',
  ),
  ...same('set app usedns warn', 'get app ignoreself', 'set app ignoreself false', 'get app ignoreself'),
  ...same('set app ignoreself true', 'get app logencoding', 'set app logencoding iso-8859-15'),
  other(clearer, 'set app logencoding nothing', 255, 'logencoding: invalid encoding "nothing"'),
  ...same(
    'set app logencoding auto',
    'get app datepattern',
    'set app datepattern %Y-%m-%d',
    'get app datepattern',
  ),
  ...same('set app datepattern Epoch', 'set app datepattern {^LN-BEG}'),
  sameWith('set app datepattern', '^%Y-%m-%d %H:%M:%S'),
  ...same('get app prefregex', 'get app ignorecommand', 'get app ignorecache', 'get app journalmatch'),
  ...same('get app logtimezone', 'set app logtimezone UTC+0200', 'get app logtimezone'),
  ...same('set app logtimezone Nowhere', 'set app logtimezone', 'get nope logtimezone'),
  other(
    'the same zone in the spelling that does not depend on how it was asked for',
    'set app logtimezone -01:30',
    0,
    'UTC-0130',
  ),
  ...same('set app logtimezone UTC+0000'),
  ...same('set app ignorecommand /bin/true', 'get app ignorecommand'),
  ...same('set app ignorecache key="<ip>",max-count=50,max-time=5m', 'get app ignorecache'),
  ...same('get app logpath', 'get web logpath', 'get nope logpath', 'get app what', 'set app what 1'),
  ...same('get', 'set', 'get app', 'set app', 'set what', 'get what'),
];

/** Options that are lists. */
const lists: Row[] = [
  ...same('get app ignoreip', 'get web ignoreip', 'set app addignoreip 203.0.113.0/24', 'get app ignoreip'),
  ...same('set app addignoreip 203.0.113.0/24', 'set app delignoreip 203.0.113.0/24'),
  other(
    clearer,
    'set app delignoreip 203.0.113.0/24',
    255,
    "'203.0.113.0/24' is not in ignoreip of jail app",
  ),
  ...same('set web addignoreip 203.0.113.7', 'set web delignoreip 203.0.113.7', 'set web addignoreip'),
  ...same('set web addignoreip 203.0.113.7/32 2001:db8::/32', 'set web delignoreip 203.0.113.7'),
  ...same('set web delignoreip 2001:db8::/32', 'set nope addignoreip 203.0.113.7', 'get app failregex'),
  other(
    'the expression as it is written, to be used again; fail2ban shows what it makes of the tags',
    'get web failregex',
    0,
    'The following regular expression are defined:\n`- [0]: ^ bad <HOST>$',
  ),
  ...same('get app ignoreregex', 'get web ignoreregex'),
  sameWith('set app addfailregex', String.raw`^ turned away (?P<ip4>[\d.]+)$`),
  ...same('get app failregex', 'set app delfailregex 2', 'set app delfailregex 9', 'set app delfailregex x'),
  other(
    clearer,
    ['set', 'app', 'addfailregex', '^ nobody$'],
    255,
    "failregex[2] of filter denied doesn't say whom to ban",
  ),
  other(
    clearer,
    'set app addfailregex (',
    255,
    "failregex[2] of filter denied can't be used: missing ), unterminated group: ( at position 0 of (",
  ),
  ...same('get app failregex', 'set app addfailregex', 'set nope delfailregex 0'),
  sameWith('set app addignoreregex', '^ denied .* by mistake$'),
  ...same('set app delignoreregex -1', 'set app delignoreregex 5'),
];

/** `bantime.increment` and its family. */
const increments: Row[] = [
  ...same('get app bantime.increment', 'get web bantime.increment', 'get web bantime.factor'),
  ...same('get web bantime.maxtime', 'get web bantime.multipliers', 'get web bantime.formula'),
  ...same('get web bantime.rndtime', 'get web bantime.overalljails', 'get web bantime.what'),
  ...same('set web bantime.maxtime 2d', 'set web bantime.factor 3', 'get web bantime.factor'),
  ...same('set web bantime.increment false', 'get web bantime.increment', 'set web bantime.increment true'),
  ...same('set web bantime.rndtime 1m', 'get nope bantime.factor'),
  sameWith('set web bantime.multipliers', '1 2 4'),
];

/** What dock2ban has its own way of. */
const elsewhere: Row[] = [
  other(noActions, 'get app actions', 0, 'The jail app has the following actions:\ndock2ban'),
  ...same('get nope actions'),
  other(noActions, 'get app action iptables-multiport actionban', 255, ownActions),
  other(noActions, 'get app actionproperties iptables-multiport', 255, ownActions),
  other(noActions, 'set app addaction x', 255, ownActions),
  other(
    configured,
    'set app addlogpath /dev/null',
    255,
    "dock2ban has no addlogpath: where a jail's lines come from is configured",
  ),
  other('a jail watches or is stopped', 'set app idle on', 255, 'dock2ban has no idle jails'),
  other(configured, 'add more', 255, 'dock2ban adds no jails by command'),
  other(
    'there is no such jail: it was not added',
    'stop more',
    255,
    "Sorry but the jail 'more' does not exist",
  ),
  other(startOptions, 'get loglevel', 255, 'loglevel is not told by dock2ban while it runs'),
  other(startOptions, 'set loglevel DEBUG', 255, "loglevel can't be set while dock2ban runs"),
  other(startOptions, 'get dbfile', 255, 'dbfile is not told by dock2ban while it runs'),
  other(
    'containers log on stdout, for Docker to keep',
    'get logtarget',
    0,
    'Current logging target is:\n`- STDOUT',
  ),
  other('nothing is reopened; fail2ban says this where it logs on stdout', 'flushlogs', 0, 'logs: flushed'),
  ...same('start'),
];

/** Bans that dock2ban refuses, and what is counted otherwise. */
const refused: Row[] = [
  other(
    'a firewall bans addresses; a name would only look as if it were banned',
    'set app banip not-an-address',
    255,
    "'not-an-address' is no IP address or prefix",
  ),
  other('ignoreip holds for bans by hand too', 'set app banip 192.0.2.1', 0, '0'),
  other(
    'loopback, the host’s and Docker’s own addresses are never banned',
    'set app banip 127.0.0.1',
    0,
    '0',
  ),
  other('nothing was banned just now', 'unban --all', 0, '0'),
];

export const rows: readonly Row[] = [
  ...overview,
  ...bans,
  ...failures,
  ...options,
  ...lists,
  ...increments,
  ...elsewhere,
  ...jailRows,
  ...refused,
];
