import { Dock2banError } from '../../errors.ts';
import { oneLine } from '../../text/plain-text.ts';
import { failure, refusal, type Call } from './command.ts';
import { containersProcess } from './not-here.ts';

const reloadOptions: ReadonlySet<string> = new Set(['--restart', '--unban', '--if-exists']);

/**
 * `reload [--restart] [--unban] [--if-exists] [--all|JAIL]`. A jail that doesn't run is no jail to fail2ban's server; it starts with
 * `--if-exists`, as there.
 */
export async function reload({ control, words, warn, defines }: Call): Promise<string> {
  const first = words.findIndex((word) => !reloadOptions.has(word));
  const named = first < 0 ? [] : words.slice(first);
  if (named.length > 1) throw failure(`Unexpected argument(s) for reload: ${named.join(' ')}`);
  const [jail] = named;
  const one = jail === '--all' ? undefined : jail;
  const { jails } = await control.status();
  const runs = one === undefined || words.includes('--if-exists') || jails.includes(one);
  if (!runs && (await defines(one))) throw refusal(`Sorry but the jail '${one}' does not exist`);
  const [anew, unbans] = [words.includes('--restart'), words.includes('--unban')];
  const { applied, problems } = await control.reload(one, anew && !unbans).catch((error: unknown) => {
    // fail2ban-client finds no such section before it asks its server.
    if (error instanceof Dock2banError && error.code === 'no-such-jail') throw failure(error.message);
    throw error;
  });
  for (const { where, message } of problems) warn(oneLine(`${where}: ${message}`));
  if (!applied) throw failure('the new configuration is not used: the old one stays in force');
  // Jails are changed in place, also by a restart: their bans stay in force all the while.
  if (unbans) await control.unban(one, []);
  // Now that no ban is left to be counted.
  if (unbans && anew) await control.reload(one, anew);
  return 'OK';
}

/** `restart JAIL`; of the server: refused. */
export async function restart(call: Call): Promise<string> {
  if (call.words.length === 0) throw containersProcess();
  return reload({ ...call, words: ['--restart', ...call.words] });
}

/** `start JAIL`; of the server: it runs, or can't be started from here. */
export async function start({ control, words }: Call): Promise<string> {
  if (words.length === 0) {
    await control.status();
    throw failure('Server already running');
  }
  await control.start(words[0]!);
  return 'Jail started';
}

/** `stop JAIL`, `stop --all`; of the server: refused. */
export async function stop({ control, words }: Call): Promise<string> {
  const [jail] = words;
  if (jail === undefined) throw containersProcess();
  const jails = jail === '--all' ? (await control.status()).jails : [jail];
  for (const name of jails) await control.stop(name);
  return 'Jail stopped';
}
