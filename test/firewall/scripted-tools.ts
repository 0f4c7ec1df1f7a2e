import { deepEqual, equal } from 'node:assert/strict';
import type { Conversation, ConversationListener, Tools } from '../../src/firewall/tool/exec.ts';
import { failed } from './simulated-sets.ts';

/** One expected run: the command line, its input, and what comes of it. */
export interface ScriptedRun {
  readonly command: string;
  readonly input?: string[];
  readonly stdout?: string;
  /** It fails with this. */
  readonly stderr?: string;
}

/** What a conversation says to what is written; undefined: it ends. */
export type ScriptedTalk = (lines: string[]) => string | undefined;

/** Tools that expect an exact sequence of runs. Anything else throws. */
export class ScriptedTools implements Tools {
  readonly #runs: ScriptedRun[];
  readonly #talk: ScriptedTalk;
  conversations = 0;

  /** @param talk default: conversations end at once */
  constructor(runs: readonly ScriptedRun[], talk: ScriptedTalk = () => undefined) {
    this.#runs = [...runs];
    this.#talk = talk;
  }

  readonly run: Tools['run'] = async (command, args, { input } = {}) => {
    const expected = this.#runs.shift();
    if (!expected) throw new Error(`not expected: ${command} ${args.join(' ')}`);
    equal([command, ...args].join(' '), expected.command);
    deepEqual(input?.split('\n').slice(0, -1), expected.input);
    if (expected.stderr !== undefined) throw failed(command, expected.stderr);
    return { stdout: expected.stdout ?? '' };
  };

  converse(_command: string, _args: readonly string[], listener: ConversationListener): Conversation {
    this.conversations += 1;
    return {
      write: (text) => {
        const said = this.#talk(text.split('\n').slice(0, -1));
        queueMicrotask(() => (said === undefined ? listener.ended() : listener.said(said)));
      },
      end: () => undefined,
    };
  }

  expectDone(): void {
    deepEqual(this.#runs, []);
  }
}
