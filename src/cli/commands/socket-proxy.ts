import { dirname } from 'node:path';
import { parseDockerHost } from '../../docker/engine/docker-host.ts';
import { Dock2banError } from '../../errors.ts';
import { defineCommand } from '../command.ts';
import { dockerHost } from './options.ts';
import { allowPaths, programFolder, relaunch } from '../../daemon/relaunch.ts';

/** Passes on to the engine what dock2ban asks of it, at the socket `listen`. @throws Dock2banError `usage` */
function serve(engineHost: string, listen: string): void {
  const engine = parseDockerHost(engineHost);
  if (!('socketPath' in engine)) {
    throw new Dock2banError('usage', `socket-proxy serves an engine on a unix socket, not ${engineHost}`, {
      fix: "mount Docker's socket, and give --docker-host unix:///var/run/docker.sock",
    });
  }
  const folder = dirname(listen);
  const permissions = [
    ...allowPaths('read', [programFolder, folder, engine.socketPath]),
    ...allowPaths('write', [folder]),
  ];
  relaunch('docker/engine/socket-proxy-process', permissions, [engine.socketPath, listen]);
}

export const command = defineCommand(
  'socket-proxy',
  "Pass on to the Docker engine only what dock2ban asks of it, read-only: for a container of its own with Docker's socket",
  (parser) =>
    parser.options({
      'docker-host': { ...dockerHost, describe: "The engine's unix socket" },
      listen: {
        type: 'string',
        default: '/run/dock2ban-docker/docker.sock',
        describe: 'The socket to serve; its folder on a volume that dock2ban has, too',
      },
    } as const),
  (argv) => {
    serve(argv.dockerHost, argv.listen);
    return 0;
  },
);
