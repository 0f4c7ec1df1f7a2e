import type { Client } from './client.ts';
import type { LabHost } from './host.ts';
import { KeepAsking } from './keep-asking.ts';
import { type Lab, type LabOptions, startLab } from './lab.ts';
import { type Product, shutOut, startProduct } from './product.ts';
import { logged, onPorts, strict } from './services.ts';

/** A host with services whose attacker has been shut out: over the forwarded path, and from the host's own network. */
export class Site implements AsyncDisposable {
  readonly #cleanup: AsyncDisposableStack;
  readonly lab: Lab;
  readonly product: Product;
  readonly attacker: Client;
  readonly honest: Client;

  private constructor(
    cleanup: AsyncDisposableStack,
    parts: { lab: Lab; product: Product; attacker: Client; honest: Client },
  ) {
    this.#cleanup = cleanup;
    ({ lab: this.lab, product: this.product, attacker: this.attacker, honest: this.honest } = parts);
  }

  static async open(options: LabOptions, changes = ''): Promise<Site> {
    await using cleanup = new AsyncDisposableStack();
    const lab = cleanup.use(await startLab({ engineArguments: ['--live-restore'], ...options }));
    const product = cleanup.use(await startProduct(lab, changes));
    const [attacker, honest] = [await lab.client('198.51.100.66'), await lab.client('203.0.113.7')];
    await lab.host.run({ name: 'other', publish: ['8090:80'] });
    const labels = { ...strict('on-host'), 'fail2ban.port': '8140' };
    await lab.host.run(logged('on-host', { network: 'host', labels, command: onPorts(8140, 8141) }));
    await product.sees('jail-started', { jail: 'on-host' });
    const [published, onHost] = closedOf(lab.host);
    await shutOut(product, attacker, published, { jail: 'nginx-proxy', failures: 5 });
    await shutOut(product, attacker, onHost, { jail: 'on-host', failures: 2 });
    // Only now: whatever fails before ends the lab, so that the next can begin.
    return new Site(cleanup.move(), { lab, product, attacker, honest });
  }

  get host(): LabHost {
    return this.lab.host;
  }

  /** What the attacker is banned from: a published port, and one of the host. */
  get closed(): readonly [string, string] {
    return closedOf(this.host);
  }

  /** An honest client's long connection to a service without a jail. */
  async flow(port: 8090 | 8141): Promise<KeepAsking> {
    return new KeepAsking(await this.honest.open(`http://${this.host.ip4}:${port}/`));
  }

  async repairs(): Promise<number> {
    return (await this.product.eventsOf('firewall-repaired')).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

function closedOf({ ip4 }: LabHost): [published: string, onHost: string] {
  return [`http://${ip4}`, `http://${ip4}:8140`];
}
