import { fail2banClient } from '../fail2ban-client/client.ts';
import { output } from '../output.ts';
import { version } from '../version.ts';
import { dockerNow } from './docker-now.ts';
import { builtinDir, configDir, dockerHost, environmentPolicy, socket } from './options.ts';

/** What dock2ban does where it is called `fail2ban-client`, as by a symbolic link. */
export function client(words: readonly string[]): Promise<number> {
  return fail2banClient(words, {
    version,
    output,
    socket: socket.default,
    configDir: configDir.default,
    builtinDir,
    policy: environmentPolicy(),
    docker: () => dockerNow(dockerHost.default),
  });
}
