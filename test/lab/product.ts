import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from './client.ts';
import type { Outcome } from './client-protocol.ts';
import type { ExecResult, LabHost } from './host.ts';
import type { Lab } from './lab.ts';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** One line of dock2ban's log. */
export interface ProductEvent {
  readonly event: string;
  readonly level: string;
  readonly msg: string;
  readonly jail?: string;
  readonly ip?: string;
  readonly [field: string]: unknown;
}

/** dock2ban as its users run it: from the project's image, by compose.example.yml. */
export class Product implements AsyncDisposable {
  readonly #host: LabHost;
  readonly #folder: string;
  readonly #files: readonly string[];

  constructor(host: LabHost, folder: string, files: readonly string[]) {
    this.#host = host;
    this.#folder = folder;
    this.#files = files;
  }

  /** docker compose over the example and the test's changes to it. */
  async compose(...args: string[]): Promise<string> {
    return this.#host.compose([...this.#files.flatMap((file) => ['--file', file]), ...args], {
      cwd: projectRoot,
    });
  }

  /** `docker exec dock2ban dock2ban …` */
  async cli(...args: string[]): Promise<ExecResult> {
    return this.#host.tryDocker('exec', 'dock2ban', 'dock2ban', ...args);
  }

  /** Everything dock2ban has logged; what is no JSON is an error. */
  async events(): Promise<ProductEvent[]> {
    const log = await this.#host.docker('logs', 'dock2ban');
    return log
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as ProductEvent);
  }

  /** Events of one kind, and with these fields. */
  async eventsOf(event: string, fields: Readonly<Record<string, unknown>> = {}): Promise<ProductEvent[]> {
    const wanted = Object.entries(fields);
    return (await this.events()).filter(
      (line) => line.event === event && wanted.every(([key, value]) => line[key] === value),
    );
  }

  /**
   * Waits for an event.
   *
   * @throws with the log if it doesn't come
   */
  async sees(
    event: string,
    fields: Readonly<Record<string, unknown>> = {},
    timeoutMs = 15_000,
  ): Promise<ProductEvent> {
    return this.seesAnother(event, fields, 0, timeoutMs);
  }

  /**
   * Waits for an event beside so many earlier ones of its kind.
   *
   * @throws with the log if it doesn't come
   */
  async seesAnother(
    event: string,
    fields: Readonly<Record<string, unknown>>,
    earlier: number,
    timeoutMs = 15_000,
  ): Promise<ProductEvent> {
    let found: ProductEvent | undefined;
    const isThere = async (): Promise<boolean> => {
      found = (await this.eventsOf(event, fields))[earlier];
      return found !== undefined;
    };
    try {
      await this.#host.until(`${event} ${JSON.stringify(fields)}`, isThere, timeoutMs);
    } catch (cause) {
      throw new Error(`no such event; the log:\n${await this.#host.docker('logs', 'dock2ban')}`, { cause });
    }
    return found!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.compose('down', '--timeout', '5', '--volumes');
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Events for programs. */
const jsonLog = 'services: { dock2ban: { environment: { DOCK2BAN_LOG_FORMAT: json } } }\n';

/**
 * Starts compose.example.yml and waits until dock2ban is ready.
 *
 * @param changes a second compose file that is laid over it
 */
export async function startProduct(lab: Lab, changes = ''): Promise<Product> {
  const folder = await mkdtemp(join(tmpdir(), 'dock2ban-compose-'));
  const files = ['compose.example.yml'];
  for (const [name, overlay] of Object.entries({ 'json-log.yml': jsonLog, 'changes.yml': changes })) {
    if (overlay === '') continue;
    const file = join(folder, name);
    await writeFile(file, overlay);
    files.push(file);
  }
  const product = new Product(lab.host, folder, files);
  await product.compose('up', '--detach', '--no-build');
  await product.sees('ready');
  return product;
}

/** Labels laid over those of the example's nginx-proxy. */
export function labels(values: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(values).map(
    ([label, value]) => `      ${label}: ${JSON.stringify(String(value))}`,
  );
  return `services:\n  nginx-proxy:\n    labels:\n${lines.join('\n')}\n`;
}

/** Asks for missing pages until the client is shut out; resolves to the outcomes, the last of which is no status. */
export async function provoke(client: Client, url: string, most = 12): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let i = 0; i < most; i++) {
    const outcome = await client.get(`${url}/missing-${i}`, { host: 'app.example.com' });
    outcomes.push(outcome);
    if (typeof outcome !== 'number') break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return outcomes;
}

/**
 * Asks for missing pages until the jail's limit is reached, waits for the ban, and sees that the client's next request goes nowhere.
 *
 * @param failures the jail's maxretry
 * @returns the ban's event
 * @throws if a request before the ban is not answered, or the one after it is
 */
export async function shutOut(
  product: Product,
  client: Client,
  url: string,
  { jail, failures }: { readonly jail: string; readonly failures: number },
): Promise<ProductEvent> {
  const before = (await product.eventsOf('ban', { jail })).length;
  for (let i = 1; i <= failures; i++) {
    const outcome = await client.get(`${url}/missing-${i}`, { host: 'app.example.com', timeoutMs: 3000 });
    if (outcome !== 404) throw new Error(`request ${i} of ${failures} to ${url}: ${outcome} instead of 404`);
  }
  const ban = await product.seesAnother('ban', { jail }, before);
  const next = await client.get(`${url}/`);
  if (next !== 'timeout') throw new Error(`${ban.ip} is banned, but the next request to ${url} got ${next}`);
  return ban;
}
