import { closeSync, fstatSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { messageOf } from '../errors.ts';
import type { FilterSpec } from '../filter/spec.ts';
import { plainFile } from '../store/database-files.ts';
import { stallNote, writeNote } from './stall-note.ts';

/** Labels may give longer names. */
const longestName = 500;
const text = z.string().max(longestName);

const labelCulprit = z.object({ jail: text, container: text, where: text, key: text });

const culprit = labelCulprit.partial({ container: true, key: true, jail: true });

/** Expressions that were being searched when the controller stalled. */
export type Culprit = z.infer<typeof culprit>;

const stall = z.object({ at: z.number().max(8.64e15), culprit: culprit.optional() });

/** Why the run before was ended by its watchdog. */
export type Stall = z.infer<typeof stall>;

const entries = z.array(z.object({ ...labelCulprit.shape, at: z.number() }));

/** Bytes. */
const longestNote = 1024 * 1024;
/** The oldest go beyond. */
const mostEntries = 200;

/**
 * Expressions of labels that have stalled the controller: they are refused until they change, over restarts. What the files say is never
 * refused: the operator has it from the event.
 */
export class Quarantine {
  /** Why the run before was ended, if it was. */
  readonly lastStall: Stall | undefined;
  /** Notes that can't be used. */
  readonly problems: readonly string[];
  readonly #keys: ReadonlySet<string>;

  /** Reads what the previous run left. Never throws. */
  constructor(stateDir: string) {
    const problems: string[] = [];
    const attempt = <T>(path: string, act: (path: string) => T): T | undefined => {
      try {
        return act(path);
      } catch (error) {
        problems.push(`${path}: ${messageOf(error)}`);
        return undefined;
      }
    };
    const list = join(stateDir, 'quarantine.json');
    const note = stallNote(stateDir);
    const known = attempt(list, (path) => readNote(path, entries)) ?? [];
    this.lastStall = attempt(note, (path) => readNote(path, stall));
    const fresh = labelCulprit.safeParse(this.lastStall?.culprit);
    const all = fresh.success ? [...known, { ...fresh.data, at: this.lastStall!.at }] : known;
    if (fresh.success) attempt(list, (path) => writeNote(path, all.slice(-mostEntries)));
    attempt(note, (path) => rmSync(path, { recursive: true, force: true }));
    this.problems = problems;
    this.#keys = new Set(all.map(({ key }) => key));
  }

  /** Why these expressions are refused; undefined: they aren't. */
  refusal(spec: FilterSpec): string | undefined {
    if (!this.#keys.has(spec.origin?.labels?.key ?? '')) return undefined;
    return 'it stalled dock2ban for 10 seconds, and is refused until its text changes (anchor it, avoid repeats within repeats, use fewer expressions)';
  }
}

/** What to blame if a jail's filter stalls everything. @param jail undefined: it is only compiled, and may be any's */
export function culpritOf(spec: FilterSpec, jail?: string): Culprit {
  const { where = `filter ${spec.name}`, labels } = spec.origin ?? {};
  const short = (name: string): string => name.slice(0, longestName);
  if (!labels) return { where: short(where), ...(jail !== undefined && { jail }) };
  return {
    jail: short(labels.jail),
    container: short(labels.container),
    where: short(where),
    key: labels.key,
  };
}

/** Undefined: there is none. @throws if it is no note of ours */
function readNote<T>(path: string, schema: z.ZodType<T>): T | undefined {
  let file: number;
  try {
    file = openSync(path, plainFile);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.size > longestNote) throw new Error('it is no note of dock2ban');
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new Error('it is no note of dock2ban', { cause });
  } finally {
    closeSync(file);
  }
}
