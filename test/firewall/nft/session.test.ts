import { describe, expect, it } from 'vitest';
import type { ConversationListener, Tools } from '../../../src/firewall/tool/exec.ts';
import { nftDialect } from '../../../src/firewall/nft/session.ts';
import { ToolSession } from '../../../src/firewall/tool/tool-session.ts';

const unreadable = (word: string): string =>
  `Error: syntax error, unexpected newline, expecting string\n${word}\n${' '.repeat(word.length)}^\n`;

/** A session with an nft that says this to a batch, in these pieces. */
function session(say: (line: string, end: string) => readonly string[]) {
  const heard: string[] = [];
  let started = 0;
  const tools: Tools = {
    run: async () => Promise.reject(new Error('not expected')),
    converse: (command, args, listener: ConversationListener) => {
      expect([command, ...args]).toEqual(['nft', '-i']);
      started += 1;
      return {
        write: (text) => {
          const [line = '', end = ''] = text.split('\n');
          heard.push(line);
          const pieces = say(line, end);
          if (pieces.length === 0) queueMicrotask(() => listener.ended());
          for (const piece of pieces) setImmediate(() => listener.said(piece));
        },
        end: () => undefined,
      };
    },
  };
  return { nft: new ToolSession(tools, nftDialect), heard, started: () => started };
}

describe('a session with nft', () => {
  it('sends a batch as one line, which is one transaction, and takes silence for success', async () => {
    const { nft, heard, started } = session((_, end) => [unreadable(end)]);
    expect(await nft.send(['add table inet a', 'add element inet a b { 192.0.2.1 }'])).toBe(true);
    expect(await nft.send(['add table inet c'])).toBe(true);
    expect(heard).toEqual(['add table inet a; add element inet a b { 192.0.2.1 }', 'add table inet c']);
    expect(started()).toBe(1);
  });

  it('is not misled by an answer in pieces', async () => {
    const { nft } = session((_, end) => {
      const text = unreadable(end);
      return [text.slice(0, 20), text.slice(20, 70), text.slice(70)];
    });
    for (let i = 0; i < 5; i += 1) expect(await nft.send(['add table inet a'])).toBe(true);
  });

  it('tells what was not taken, and starts anew', async () => {
    const { nft, started } = session((line, end) => [
      line.includes('bad')
        ? `Error: Could not process rule: No such file or directory\n${line}\n    ^^^\n`
        : '',
      unreadable(end),
    ]);
    expect(await nft.send(['delete element inet bad b { 192.0.2.1 }'])).toBe(false);
    expect(await nft.send(['add table inet a'])).toBe(true);
    expect(started()).toBe(2);
  });

  it('tells that nft ended', async () => {
    const { nft } = session(() => []);
    expect(await nft.send(['add table inet a'])).toBe(false);
  });

  it('does not keep one nft for ever', async () => {
    const { nft, started } = session((_, end) => [unreadable(end)]);
    for (let i = 0; i < 5001; i += 1) await nft.send(['add table inet a']);
    expect(started()).toBe(2);
  });
});
