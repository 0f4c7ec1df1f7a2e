import { readFileSync } from 'node:fs';
import { relaunch } from './relaunch.ts';
import { permissionFlags } from './node-permissions.ts';
import type { RunOptions } from './options.ts';

/** Replaces this process by the daemon. */
export function launch(options: RunOptions, version: string): void {
  const permissions = permissionFlags(options, {
    // The image sets it, as systemd.io/CONTAINER_INTERFACE describes.
    containerMounts:
      process.env['container'] === undefined ? undefined : readFileSync('/proc/self/mountinfo', 'utf8'),
    certDir: process.env['DOCKER_CERT_PATH'],
  });
  relaunch('daemon/process', permissions, [version, JSON.stringify(options)]);
}
