import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ContainerOptions } from './container.ts';
import { labImages } from './images.ts';

/** Labels of a jail of a container's own, with the same name, that bans at the second failure. */
export const strict = (jail: string): Record<string, string> => ({
  'fail2ban.jail': jail,
  'fail2ban.filter': 'nginx-proxy',
  'fail2ban.maxretry': '2',
});

/** A container whose log goes to the host's syslog under its name. */
export function logged(name: string, more: ContainerOptions = {}): ContainerOptions & { name: string } {
  return { name, labels: strict(name), log: { driver: 'syslog', options: { tag: name } }, ...more };
}

/** Starts the nginx-proxy stand-in on other ports than 80 and 443. */
export function onPorts(...ports: readonly number[]): readonly string[] {
  const listen = ports.map((port) => `listen ${port}; listen [::]:${port};`).join(' ');
  const edit = `/listen .*default_server/d; s/location = \\/ {/${listen}\\n&/`;
  return ['sh', '-c', `sed -i '${edit}' /etc/nginx/nginx.conf && exec nginx -g 'daemon off;'`];
}

const udpProgram = readFileSync(fileURLToPath(new URL('services/udp.pl', import.meta.url)), 'utf8');

/** A UDP service that a client asks by `udp://` URLs, and that logs as nginx-proxy does. */
export function udpService(port: number): Pick<ContainerOptions, 'image' | 'command'> {
  return { image: labImages.base, command: ['perl', '-e', udpProgram, String(port)] };
}
