import { ControlClient } from '../../control/client.ts';
import { Dock2banError } from '../../errors.ts';
import { exitCode } from '../exit-code.ts';
import { defineCommand } from '../command.ts';
import { withJson } from './options.ts';
import { jsonText, output } from '../output.ts';

export interface UninstallContext {
  readonly client: Pick<ControlClient, 'status'>;
  /** Whether a controller enforces in this network namespace, wherever its socket is. */
  readonly isPresent: () => Promise<boolean>;
  /** Removes every trace from the kernel, and tells what there was. Throws a Dock2banError if anything is left. */
  readonly removeRules: () => Promise<readonly string[]>;
}

export interface UninstallOptions {
  /** The controller's socket, for messages. */
  readonly socket: string;
  /** Also while a controller runs. */
  readonly force: boolean;
  readonly json: boolean;
}

/**
 * `dock2ban uninstall-rules`: removes everything of dock2ban's from the kernel.
 * @throws Dock2banError `controller-running`: it would put everything back
 */
export async function uninstallRules(
  { client, isPresent, removeRules }: UninstallContext,
  { socket, force, json }: UninstallOptions,
  print: (text: string) => void,
): Promise<number> {
  const where = force
    ? undefined
    : (await isAnswered(client))
      ? `answers on ${socket}`
      : (await isPresent())
        ? 'runs on this host'
        : undefined;
  if (where !== undefined) {
    throw new Dock2banError(
      'controller-running',
      `a controller ${where}: it would put its rules back within seconds`,
      {
        fix: 'stop it first: docker compose stop dock2ban; then: docker compose run --rm --no-deps dock2ban uninstall-rules (or --force)',
      },
    );
  }
  const removed = await removeRules();
  if (json) print(jsonText({ removed }));
  else if (removed.length === 0) print('nothing of dock2ban is in the kernel\n');
  else print(removed.map((what) => `removed: ${what}\n`).join(''));
  return exitCode.done;
}

/** An answer of any kind shows that somebody listens. */
async function isAnswered(client: Pick<ControlClient, 'status'>): Promise<boolean> {
  try {
    await client.status();
    return true;
  } catch (error) {
    return !(error instanceof Dock2banError && error.code === 'unreachable');
  }
}

export const command = defineCommand(
  'uninstall-rules',
  'Remove all dock2ban firewall rules',
  (parser) =>
    parser
      .options({
        ...withJson,
        force: {
          type: 'boolean',
          default: false,
          describe: 'Also while a controller runs, which puts them back',
        },
      } as const)
      .example(
        'docker compose run --rm --no-deps dock2ban uninstall-rules',
        'after docker compose stop dock2ban',
      ),
  async (argv) => {
    const [{ removeRules }, { systemTools }, { isPresent }] = await Promise.all([
      import('../../doctor/remove-rules.ts'),
      import('../../firewall/tool/exec.ts'),
      import('../../control/presence.ts'),
    ]);
    return uninstallRules(
      {
        client: new ControlClient(argv.socket),
        isPresent,
        removeRules: () => removeRules(systemTools, '/proc/net'),
      },
      argv,
      output.print,
    );
  },
);
