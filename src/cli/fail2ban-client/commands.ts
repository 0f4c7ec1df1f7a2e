import { banned, unban } from './bans.ts';
import { incomplete, refusal, type Call, type Command } from './command.ts';
import { get } from './get.ts';
import { reload, restart, start, stop } from './jails.ts';
import { configuredJails } from './not-here.ts';
import { set } from './set.ts';
import { sleep } from './sleep.ts';
import { statistics, status } from './status.ts';

async function reached({ control }: Call, answer: string): Promise<string> {
  await control.status();
  return answer;
}

/** fail2ban-client's commands (its protocol.py names them), each with dock2ban's answer. */
const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['ping', (call) => reached(call, 'Server replied: pong')],
  ['server-status', (call) => reached(call, 'Server ready')],
  ['version', async ({ control }) => (await control.status()).version],
  ['status', status],
  ['stats', statistics],
  ['statistics', statistics],
  ['banned', banned],
  ['unban', unban],
  ['get', get],
  ['set', set],
  ['reload', reload],
  ['restart', restart],
  ['start', start],
  ['stop', stop],
  ['add', () => Promise.reject(configuredJails())],
  // dock2ban logs on stdout: nothing to reopen, which is what fail2ban says then.
  ['flushlogs', (call) => reached(call, 'logs: flushed')],
  ['sleep', sleep],
  ['echo', (call) => reached(call, call.words.join(' '))],
]);

/** Answers a command and its words. @throws Dock2banError */
export async function runCommand(call: Call): Promise<string> {
  const [name, ...words] = call.words;
  if (name === undefined) throw incomplete();
  const command = commands.get(name);
  if (!command) {
    await call.control.status();
    throw refusal('Invalid command', 'fail2ban-client --help lists what dock2ban answers');
  }
  return command({ ...call, words });
}
