import { fileURLToPath } from 'node:url';
import type { Output } from '../by-hand.ts';
import { defaultLogRoots, labelPolicy, type LabelPolicy } from '../../config/labels/label-policy.ts';

/** What the tools need of the process that they run in. */
export interface ToolContext {
  readonly version: string;
  readonly output: Output;
}

/** The built-in jails and filters, beside `dist/` or `src/`. */
const builtinDir = fileURLToPath(new URL('../../../filters', import.meta.url));

/** Where things are for whoever doesn't say otherwise. */
export const defaults = {
  socket: '/run/dock2ban/dock2ban.sock',
  configDir: '/etc/fail2ban',
  dockerHost: 'unix:///var/run/docker.sock',
} as const;

/**
 * `dock2ban regex`, and fail2ban-regex. Its arguments are fail2ban-regex's own, where patterns may look like anything, so
 * that yargs has no part in it.
 */
export async function regexTool(
  name: string,
  argv: readonly string[],
  context: ToolContext,
): Promise<number> {
  const { regexCommand } = await import('../regex/command.ts');
  const { configDir } = environment();
  return regexCommand(argv, { ...context, name, configDir, builtinDir, now: Date.now });
}

/** `dock2ban check`. */
export async function checkTool(
  options: { readonly configDir: string; readonly dockerHost: string; readonly json: boolean },
  { output }: ToolContext,
): Promise<number> {
  const { check } = await import('../check/command.ts');
  const { configDir, dockerHost, json } = options;
  return check(
    {
      configDir,
      builtinDir,
      policy: environmentPolicy(),
      containers: () => runningContainers(dockerHost),
      networks: () => dockerNetworks(dockerHost),
    },
    json,
    output.print,
  );
}

/** What dock2ban does where it is called by a name of fail2ban's, as by a symbolic link; undefined for any other name. */
export function toolNamed(
  name: string,
): ((argv: readonly string[], context: ToolContext) => Promise<number>) | undefined {
  switch (name) {
    case 'fail2ban-regex':
      return (argv, context) => regexTool(name, argv, context);
    case 'fail2ban-client':
      return async (argv, context) => {
        const { fail2banClient } = await import('../fail2ban-client.ts');
        const { socket, configDir, dockerHost } = environment();
        const containers = () => runningContainers(dockerHost);
        const networks = () => dockerNetworks(dockerHost);
        const policy = environmentPolicy();
        return fail2banClient(argv, {
          ...context,
          socket,
          configDir,
          builtinDir,
          policy,
          containers,
          networks,
        });
      };
    default:
      return undefined;
  }
}

/** What labels may do, after the environment variables of `dock2ban run`. @throws Dock2banError */
export function environmentPolicy(): LabelPolicy {
  const { DOCK2BAN_TRUST_IMAGE_LABELS = '', DOCK2BAN_LOG_ROOTS = defaultLogRoots } = process.env;
  return labelPolicy({
    trustImageLabels: DOCK2BAN_TRUST_IMAGE_LABELS === 'true',
    logRoots: DOCK2BAN_LOG_ROOTS,
  });
}

/** The settings that all commands take from the environment, for those that yargs doesn't parse. */
/** The same, after the environment variables that every command honours. */
export function environment(): { socket: string; configDir: string; dockerHost: string } {
  const { DOCK2BAN_SOCKET, DOCK2BAN_CONFIG_DIR, DOCK2BAN_DOCKER_HOST, DOCKER_HOST } = process.env;
  return {
    socket: DOCK2BAN_SOCKET ?? defaults.socket,
    configDir: DOCK2BAN_CONFIG_DIR ?? defaults.configDir,
    dockerHost: DOCK2BAN_DOCKER_HOST ?? DOCKER_HOST ?? defaults.dockerHost,
  };
}

/** What is known of Docker at this moment. */
async function lookAtDocker(dockerHost: string) {
  const { engineConnector } = await import('../../docker/engine/engine-connector.ts');
  const { EngineView } = await import('../../docker/engine-view.ts');
  const signal = AbortSignal.timeout(10_000);
  return new EngineView({ patience: 5_000 }).look(await engineConnector(dockerHost)(signal), signal);
}

/** The running containers with a `fail2ban.` label, at this moment. */
async function runningContainers(dockerHost: string) {
  return (await lookAtDocker(dockerHost)).containers;
}

/** All networks, at this moment. */
async function dockerNetworks(dockerHost: string) {
  return (await lookAtDocker(dockerHost)).networks;
}
