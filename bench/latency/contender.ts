import type { LabHost } from '../../test/lab/host.ts';
import type { Product } from '../../test/lab/product.ts';
import { type Memory, readMemory } from './memory.ts';

/** One of those that are compared. */
export interface Contender {
  readonly name: string;
  /** Whether it says that it bans this address. */
  bans(ip: string): Promise<boolean>;
  memory(): Promise<Memory>;
  /** Gives it a fair start before a flooded round: nothing left to read of the flood before. */
  refresh(): Promise<void>;
}

/** The product, from compose.example.yml as it is. */
export class Dock2ban implements Contender {
  readonly name = 'dock2ban';
  readonly #host: LabHost;
  readonly #product: Product;

  constructor(host: LabHost, product: Product) {
    this.#host = host;
    this.#product = product;
  }

  async bans(ip: string): Promise<boolean> {
    return (await this.#product.eventsOf('ban', { ip })).length > 0;
  }

  async memory(): Promise<Memory> {
    return readMemory(this.#host, await this.#host.container('dock2ban').pidUnderInit());
  }

  /** Needs none: it is seldom behind by more than milliseconds. */
  async refresh(): Promise<void> {}
}
