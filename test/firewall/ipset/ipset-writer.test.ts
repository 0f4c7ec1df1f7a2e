import { describe, expect, it, vi } from 'vitest';
import { IpsetWriter } from '../../../src/firewall/ipset/ipset-writer.ts';
import { ScriptedTools, type ScriptedRun, type ScriptedTalk } from '../scripted-tools.ts';

const command = 'ipset -exist restore';
const add = (ip: string, set = 'a'): string => `add ${set} ${ip} timeout 60`;
const lines = [add('192.0.2.1'), add('192.0.2.2'), add('192.0.2.3', 'b'), add('192.0.2.4')];
const ipset = (text: string): string => `ipset v7.17: ${text}\n`;

/** Complains about the closing command, as ipset does, after `before`. */
const answering =
  (before = ''): ScriptedTalk =>
  (written) =>
    `${before}${ipset(`Syntax error: '${written.at(-1)!.split(' ').at(-1)}' is out of range 0-2147483`)}`;

async function write(
  given: readonly string[],
  runs: readonly ScriptedRun[],
  talk?: ScriptedTalk,
): Promise<{ refused: string[]; tools: ScriptedTools }> {
  const tools = new ScriptedTools(runs, talk);
  const refused = await new IpsetWriter(tools).write(given);
  tools.expectDone();
  return { refused: refused.map(({ line, error }) => `${line}: ${error.code}`), tools };
}

describe('IpsetWriter', () => {
  it('writes a small batch through the session alone', async () => {
    const heard: string[][] = [];
    const { refused } = await write(lines, [], (written) => {
      heard.push(written);
      return answering()(written);
    });
    expect(refused).toEqual([]);
    expect(heard.map((each) => each.slice(0, -1))).toEqual([lines]);
  });

  it('keeps one session for many batches', async () => {
    const tools = new ScriptedTools([], answering());
    const writer = new IpsetWriter(tools);
    for (const line of lines) expect(await writer.write([line])).toEqual([]);
    expect(tools.conversations).toBe(1);
  });

  it('finds out with restore what the session complained of, and starts another session', async () => {
    const runs = [{ command, input: lines }];
    const { refused, tools } = await write(lines, runs, answering(ipset('Something went wrong')));
    expect(refused).toEqual([]);
    expect(tools.conversations).toBe(1);
  });

  it('writes with restore if the session ends', async () => {
    const { refused } = await write(lines, [{ command, input: lines }]);
    expect(refused).toEqual([]);
  });

  it('gives up a session that never answers, for good', async () => {
    vi.useFakeTimers();
    try {
      const tools = new ScriptedTools(
        [
          { command, input: lines },
          { command, input: lines },
        ],
        () => '',
      );
      const writer = new IpsetWriter(tools);
      const first = writer.write(lines);
      await vi.advanceTimersByTimeAsync(10_000);
      await first;
      await writer.write(lines);
      expect(tools.conversations).toBe(1);
      tools.expectDone();
    } finally {
      vi.useRealTimers();
    }
  });

  it('writes a large batch with restore', async () => {
    const many = Array.from({ length: 2000 }, (_, i) => add(`192.0.${i >> 8}.${i & 255}`));
    const { tools } = await write(many, [{ command, input: many }], answering());
    expect(tools.conversations).toBe(0);
  });

  it('leaves out the one line that is refused and sends all the others', async () => {
    const { refused } = await write(lines, [
      { command, input: lines, stderr: ipset('Error in line 2: Null-valued element, cannot be stored') },
      { command, input: [lines[0]!, lines[2]!, lines[3]!] },
    ]);
    expect(refused).toEqual([`${lines[1]}: firewall-refused`]);
  });

  it('gives up what follows for a full set, and nothing else', async () => {
    const { refused } = await write(lines, [
      { command, input: lines, stderr: ipset('Error in line 2: Hash is full, cannot add more elements') },
      { command, input: [lines[0]!, lines[2]!] },
    ]);
    expect(refused).toEqual([`${lines[1]}: firewall-set-full`, `${lines[3]}: firewall-set-full`]);
  });

  it('gives up every line of a set that is somebody else’s', async () => {
    const withCreate = ['create a hash:ip family inet maxelem 16777216 timeout 0', ...lines];
    const { refused } = await write(withCreate, [
      {
        command,
        input: withCreate,
        stderr: ipset('Error in line 1: Set cannot be created: set with the same name already exists'),
      },
      { command, input: [lines[2]!] },
    ]);
    expect(refused).toHaveLength(4);
  });

  it('throws if nothing can be written', async () => {
    const stderr = ipset('Error in line 1: Kernel error received: Operation not permitted');
    const tools = new ScriptedTools([{ command, input: lines, stderr }]);
    await expect(new IpsetWriter(tools).write(lines)).rejects.toMatchObject({ code: 'firewall-permission' });
  });
});
