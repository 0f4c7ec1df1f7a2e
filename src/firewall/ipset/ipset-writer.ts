import { FirewallError } from '../tool/errors.ts';
import type { Tools } from '../tool/exec.ts';
import { ToolSession } from '../tool/tool-session.ts';
import { ipsetDialect } from './ipset-session.ts';
import { parseHeaders, parseMembers, type SetHeader } from './ipset-text.ts';

/** A line that the kernel would not take. */
export interface RefusedLine {
  readonly line: string;
  readonly error: FirewallError;
}

/** From here on `ipset restore`, which packs the lines for one set into few messages, is faster than the session. */
const manyLines = 1000;

/** Reads and writes ipsets. One call at a time. */
export class IpsetWriter {
  readonly #tools: Tools;
  readonly #session: ToolSession;

  constructor(tools: Tools) {
    this.#tools = tools;
    this.#session = new ToolSession(tools, ipsetDialect);
  }

  /** Makes the first write as quick as the others. */
  open(): void {
    this.#session.open();
  }

  async headers(): Promise<Map<string, SetHeader>> {
    const { stdout } = await this.#tools.run('ipset', ['list', '-t']);
    return parseHeaders(stdout);
  }

  /** Canonical addresses and prefixes, with the seconds left; 0 is for ever. */
  async members(set: string): Promise<Iterable<readonly [ip: string, timeout: number]>> {
    const { stdout } = await this.#tools.run('ipset', ['save', set]);
    // Read as they are asked for: all of a large set at once would take more memory than its bans.
    return { [Symbol.iterator]: () => parseMembers(stdout) };
  }

  /**
   * Carries out lines as with `-exist`: what is so already is no error. A line that is refused doesn't hold up the others.
   * @param preparation lines that are nearly always needless, and sent first if the others don't go through without them
   * @throws FirewallError if the kernel can't be written at all; some lines may have been carried out
   */
  async write(
    lines: readonly string[],
    preparation: readonly string[] = [],
  ): Promise<readonly RefusedLine[]> {
    if (lines.length === 0) return [];
    if (lines.length <= manyLines && (await this.#session.send(lines))) return [];
    return this.#restore([...preparation, ...lines]);
  }

  close(): void {
    this.#session.close();
  }

  /** Tells which line is at fault, and leaves it out, until the rest goes through. */
  async #restore(lines: readonly string[]): Promise<readonly RefusedLine[]> {
    const refused: RefusedLine[] = [];
    let rest = lines;
    while (rest.length > 0) {
      try {
        await this.#tools.run('ipset', ['-exist', 'restore'], { input: `${rest.join('\n')}\n` });
        return refused;
      } catch (error) {
        if (!(error instanceof FirewallError)) throw error;
        const number = Number(/Error in line (\d+):/.exec(error.stderr)?.[1] ?? 0);
        const line = rest[number - 1];
        const excluded = line === undefined ? undefined : exclusionOf(line, error);
        if (!excluded) throw error;
        // What an earlier line of the same set had achieved may be undone by the failure, so all the rest is sent again.
        rest = rest.filter((each, i) => {
          const out = i === number - 1 || excluded(each, i >= number);
          if (out) refused.push({ line: each, error });
          return !out;
        });
      }
    }
    return refused;
  }
}

/** Which other lines share the fate of a refused one. Undefined: all of them; there is no use in going on. */
function exclusionOf(
  line: string,
  { code }: FirewallError,
): ((other: string, later: boolean) => boolean) | undefined {
  const [, set] = line.split(' ');
  if (code === 'firewall-refused') return () => false;
  if (code === 'firewall-set-full') return (other, later) => later && other.startsWith(`add ${set} `);
  const concernsSet = ['firewall-set-type', 'firewall-not-found', 'firewall-in-use'].includes(code);
  return concernsSet ? (other) => other.split(' ', 2)[1] === set : undefined;
}
