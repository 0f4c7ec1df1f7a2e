import { execa } from 'execa';

type Switch = ReturnType<typeof startSwitch>;

/** The host's interface on the network. */
export const lanDevice = 'lan0';

/**
 * A local network beside the lab's routed one: a switch that the host and clients are plugged into, so that a container on macvlan has neighbours.
 * It ends with the host or by its disposal.
 */
export class Lan implements AsyncDisposable {
  readonly #switch: Switch;
  #ports = 0;

  private constructor(process: Switch) {
    this.#switch = process;
  }

  /** Makes the switch, and gives the host the interface `lan0` on it, without an address. */
  static async open(hostPid: number): Promise<Lan> {
    const process = startSwitch();
    const lan = new Lan(process);
    await new Promise<void>((resolve) => process.stdout.once('data', () => resolve()));
    await lan.#connect(hostPid, lanDevice);
    return lan;
  }

  /** Plugs a client in, as `lan0`. @param address with the prefix's length */
  async join(client: { readonly pid: number }, address: string): Promise<void> {
    await this.#connect(client.pid, lanDevice);
    await ip(client.pid, `addr add ${address} dev ${lanDevice} nodad`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#switch.kill('SIGKILL');
    await this.#switch;
  }

  async #connect(pid: number, device: string): Promise<void> {
    this.#ports += 1;
    const port = `port${this.#ports}`;
    await ip(
      this.#switch.pid!,
      `link add ${port} type veth peer name ${device} netns ${pid}`,
      `link set ${port} master switch up`,
    );
    await ip(pid, `link set ${device} up`);
  }
}

// The return type is execa's, inferred from the options.
function startSwitch() {
  const script = 'ip link add switch type bridge && ip link set switch up && echo ready && exec cat';
  const held = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--net', 'sh', '-c', script] as const;
  return execa(held[0], held.slice(1), { buffer: false, reject: false, stderr: 'inherit' });
}

/** What `ip -batch` is given, run in the network namespace of a process. */
async function ip(pid: number, ...commands: string[]): Promise<void> {
  await execa('nsenter', ['--target', String(pid), '--net', 'ip', '-batch', '-'], {
    input: `${commands.join('\n')}\n`,
  });
}
