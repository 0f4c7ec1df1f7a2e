import { other, same, type Row } from './client-table-row.ts';

const dormant =
  'unbanned is unbanned: fail2ban knows nothing of a jail that is stopped, and its ban comes back with it';

/** Jails end and begin. */
const jails: Row[] = [
  ...same(
    'start nope',
    'start app',
    'stop nope',
    'stop web',
    'status',
    'status web',
    'set web banip 203.0.113.9',
  ),
  ...same('get web bantime', 'banned'),
  other('a jail that was stopped by hand can be started again', 'start web', 0, 'Jail started'),
  ...same(
    'reload',
    'status',
    'reload web',
    'reload --all',
    'reload nope',
    'reload --if-exists nope',
    'reload off',
  ),
  ...same('reload --if-exists off', 'reload --what', 'reload app web', 'restart nope', 'stop off'),
  other('a jail that is not enabled can be started by hand', 'start off', 0, 'Jail started'),
  ...same(
    'set app bantime 1w',
    'set app addignoreip 203.0.113.0/24',
    'reload --restart app',
    'get app bantime',
  ),
  ...same('get app ignoreip', 'restart web', 'get web bantime.factor', 'set app banip 203.0.113.40'),
  ...same('reload --unban app', 'get app banip', 'stop --all', 'status', 'reload', 'status'),
];

/** What is left of a jail that stops, and of one that is restarted. */
const restarts: Row[] = [
  ...same('unban --all', 'restart web', 'status web', 'set web banip 203.0.113.70 203.0.113.72'),
  ...same('set web attempt 203.0.113.71'),
  { log: 'web', until: 'Total failed:\t1' },
  ...same('status web', 'stop web', 'set web unbanip 203.0.113.70', 'banned 203.0.113.70', 'status web'),
  ...same('reload web', 'restart web', 'reload --restart web', 'status', 'reload --if-exists web', 'status'),
  { log: 'web', until: 'Currently banned:\t2' },
  ...same('status web', 'set web attempt 203.0.113.71'),
  { log: 'web', until: 'Total failed:\t1' },
  ...same('reload --restart web'),
  { log: 'web', until: 'Currently banned:\t2' },
  ...same('status web', 'get web banip --with-time', 'set web attempt 203.0.113.71'),
  { log: 'web', until: 'Total failed:\t1' },
  ...same('reload web', 'status web', 'reload --restart'),
  { log: 'web', until: 'Currently banned:\t2' },
  ...same('status web', 'status app', 'stop web'),
  other(dormant, 'unban 203.0.113.70', 0, '1'),
  ...same('banned 203.0.113.70', 'reload'),
  { log: 'web', until: '203.0.113.72' },
  other(dormant, 'banned 203.0.113.70', 0, '[[]]'),
  other(dormant, 'unban 203.0.113.70', 0, '0'),
  ...same('get web banip', 'reload --restart --unban web', 'status web', 'banned'),
];

/** The configuration changes. */
const edits: Row[] = [
  { edited: ['filter = denied', 'filter = denied\nmaxretry = 8'] },
  ...same(
    'get app maxretry',
    'set app banip 203.0.113.41',
    'reload app',
    'get app maxretry',
    'get app banip',
  ),
  { edited: ['maxretry = 8', 'maxretry = 9\n[nonsense'] },
  ...same('reload', 'get app maxretry', 'status'),
  { edited: ['\n[nonsense', ''] },
  ...same('reload', 'get app maxretry', 'get app banip', 'unban 203.0.113.41'),
];

/** Jails end, begin, and are configured otherwise. */
export const jailRows: readonly Row[] = [...jails, ...restarts, ...edits];
