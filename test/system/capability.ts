import { execa } from 'execa';

/** Undefined if this machine lets us make network, mount and process namespaces as root; else the reason why not. */
export async function whyNoNamespaces(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  if (process.getuid?.() !== 0) return 'not root';
  return whyItFails('unshare', '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc', 'true');
}

/** Undefined if this machine lets us make a network namespace, as root or by a user namespace; else the reason why not. */
export async function whyNoNetworkNamespace(): Promise<string | undefined> {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  const asRoot = process.getuid?.() === 0;
  return whyItFails('unshare', asRoot ? '--net' : '--map-root-user', '--net', 'true');
}

async function whyItFails(program: string, ...args: string[]): Promise<string | undefined> {
  const { failed, stderr, shortMessage } = await execa(program, args, { reject: false });
  return failed ? `namespaces can't be made: ${stderr || shortMessage}` : undefined;
}
