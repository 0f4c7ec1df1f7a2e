import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** What a step came to. */
export interface StepResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What vitest's json reporter writes, as far as it is read here. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** No step of a healthy run comes near this. Milliseconds. */
const stepTimeout = 50 * 60_000;

/** Runs a program of node_modules/.bin under this Node, its output passed on, each line behind the step's name. */
async function runs(root: string, step: string, program: string, args: readonly string[]): Promise<boolean> {
  const named = function* (line: unknown): Generator<string> {
    yield `${step.padEnd(11)} | ${String(line)}`;
  };
  const { failed } = await execa(program, args, {
    cwd: root,
    preferLocal: true,
    localDir: root,
    stdin: 'ignore',
    stdout: [named, 'inherit'],
    stderr: [named, 'inherit'],
    buffer: false,
    reject: false,
    timeout: stepTimeout,
    forceKillAfterDelay: 10_000,
  });
  return !failed;
}

/** One check that passes or fails as a whole. */
export async function check(root: string, program: string, ...args: string[]): Promise<StepResult> {
  const passed = await runs(root, program, program, args);
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}

/** One project of vitest.config.ts, its tests counted. */
export async function vitest(root: string, project: string, scratch: string): Promise<StepResult> {
  const file = join(scratch, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const succeeded = await runs(root, project, 'vitest', ['run', '--project', project, ...reporters]);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const report: VitestReport = JSON.parse(text);
  return countTests(report, succeeded);
}

/** A file that failed outside of its tests counts as one failure, and so does a run that failed outside of its files. */
export function countTests(report: VitestReport, succeeded: boolean): StepResult {
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  );
  const failed = report.numFailedTests + brokenFiles.length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && !succeeded ? 1 : failed,
    skipped: report.numPendingTests,
  };
}
