import { fileURLToPath } from 'node:url';
import type { Output } from '../by-hand.ts';
import { ControlClient } from '../../control/client.ts';
import { environmentPolicy } from './plain-tools.ts';
import { Dock2banError } from '../../errors.ts';

/** The built-in jails and filters, beside `dist/` or `src/`. */
const builtinDir = fileURLToPath(new URL('../../../filters', import.meta.url));

const { DOCK2BAN_STATE_DIR, DOCK2BAN_SYSLOG_FILE, DOCK2BAN_SYSLOG_LISTEN } = process.env;

/** What `dock2ban run` was told and `dock2ban doctor` must know, for yargs. */
export const doctorOptions = {
  'state-dir': {
    type: 'string',
    default: DOCK2BAN_STATE_DIR ?? '/var/lib/dock2ban',
    describe: 'Where the controller remembers bans',
  },
  'syslog-file': {
    type: 'string',
    default: DOCK2BAN_SYSLOG_FILE ?? '/var/log/syslog',
    describe: "The host's syslog file",
  },
  'syslog-listen': {
    type: 'string',
    default: DOCK2BAN_SYSLOG_LISTEN ?? '',
    describe: 'Where the controller receives syslog',
  },
  wait: {
    type: 'number',
    default: 3,
    describe: 'Seconds to wait for packets to containers, which prove that they cross the rules',
  },
} as const;

/** Seconds. */
const longestWait = 3600;

export interface DoctorArguments {
  readonly dockerHost: string;
  readonly configDir: string;
  readonly stateDir: string;
  readonly syslogFile: string;
  readonly syslogListen: string;
  readonly socket: string;
  /** Seconds. */
  readonly wait: number;
  readonly json: boolean;
}

/** `dock2ban doctor`. SIGINT ends the wait for packets, not the rest. */
export async function doctorTool(
  { socket, wait, json, ...argv }: DoctorArguments,
  { print }: Output,
): Promise<number> {
  if (!(wait >= 0 && wait <= longestWait)) {
    throw new Dock2banError('usage', `--wait takes 0 to ${longestWait} seconds`);
  }
  const [{ doctor }, { diagnose }, { systemTools }] = await Promise.all([
    import('../doctor.ts'),
    import('../../doctor/doctor.ts'),
    import('../../firewall/tool/exec.ts'),
  ]);
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  const host = {
    builtinDir,
    policy: environmentPolicy(),
    waitMs: wait * 1000,
    tools: systemTools,
    procNet: '/proc/net',
    signal: interrupted.signal,
  };
  return doctor(
    {
      client: new ControlClient(socket),
      diagnose: (controller) => diagnose({ ...argv, ...host, controller }),
    },
    json,
    print,
  );
}

/** `dock2ban uninstall-rules`. */
export async function uninstallTool(
  { socket, force, json }: { readonly socket: string; readonly force: boolean; readonly json: boolean },
  { print }: Output,
): Promise<number> {
  const [{ uninstallRules }, { removeRules }, { systemTools }, { isPresent }] = await Promise.all([
    import('../uninstall-rules.ts'),
    import('../../doctor/remove-rules.ts'),
    import('../../firewall/tool/exec.ts'),
    import('../../control/presence.ts'),
  ]);
  return uninstallRules(
    {
      client: new ControlClient(socket),
      isPresent,
      removeRules: () => removeRules(systemTools, '/proc/net'),
    },
    { socket, force, json },
    print,
  );
}
