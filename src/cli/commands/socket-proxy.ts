import { dirname } from 'node:path';
import { parseDockerHost } from '../../docker/engine/docker-host.ts';
import { Dock2banError } from '../../errors.ts';
import { allowPaths, programFolder, relaunch } from '../../daemon/relaunch.ts';

/** `dock2ban socket-proxy`. */
export function socketProxyTool(dockerHost: string, listen: string): void {
  const engine = parseDockerHost(dockerHost);
  if (!('socketPath' in engine)) {
    throw new Dock2banError('usage', `socket-proxy serves an engine on a unix socket, not ${dockerHost}`, {
      fix: "mount Docker's socket, and give --docker-host unix:///var/run/docker.sock",
    });
  }
  const folder = dirname(listen);
  const permissions = [...allowPaths('read', [programFolder, folder]), ...allowPaths('write', [folder])];
  relaunch('docker/engine/socket-proxy-process', permissions, [engine.socketPath, listen]);
}
