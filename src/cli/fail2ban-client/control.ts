import type { ControlClient } from '../../control/client.ts';

/** What fail2ban-client's commands ask of the running controller; an unknown jail is Dock2banError `no-such-jail`. */
export type Control = Pick<
  ControlClient,
  | 'status'
  | 'jail'
  | 'banned'
  | 'ban'
  | 'unban'
  | 'reload'
  | 'options'
  | 'edit'
  | 'start'
  | 'stop'
  | 'attempt'
>;
