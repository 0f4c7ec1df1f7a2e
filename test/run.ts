// `npm test`: everything that proves this project, on any machine that is Debian 12 and has Node and npm.
// What a machine can't run is skipped aloud; with CI=true a skip is a failure. The last line is `N passed, N failed`.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startLab } from './lab/lab.ts';
import { whyNoNamespaces, whyNoNetworkNamespace } from './system/capability.ts';
import { ensurePackages } from './system/packages.ts';
import { check, type StepResult, vitest } from './system/steps.ts';

interface Step {
  readonly name: string;
  run(): Promise<StepResult>;
  /** Why this machine can't run it; undefined: it can. */
  unable?(): Promise<string | undefined>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const inCi = process.env['CI'] === 'true';

const summary: string[] = [];
let passed = 0;
let failed = 0;

const nothing: StepResult = { passed: 0, failed: 0, skipped: 0 };

/** Makes the lab's images before the tests, whose time is limited. */
async function prepareLab(): Promise<StepResult> {
  await using lab = await startLab({ report: say });
  await lab.host.docker('version');
  return nothing;
}

function stepsWith(scratch: string): Step[] {
  const tests = (name: string): Step => ({ name, run: async () => vitest(root, name, scratch) });
  return [
    { name: 'system packages', run: installPackages, unable: whyNoNamespaces },
    { name: 'types', run: async () => check(root, 'tsc', '--noEmit') },
    { name: 'lint', run: async () => check(root, 'oxlint', '--type-aware', '--deny-warnings') },
    { name: 'format', run: async () => check(root, 'prettier', '--check', '.') },
    tests('unit'),
    { ...tests('kernel'), unable: whyNoNetworkNamespace },
    tests('conformance'),
    tests('soak'),
    { name: 'lab set-up', run: prepareLab, unable: whyNoNamespaces },
    // By itself: beside the unit tests its requests were slow enough to look dropped.
    { ...tests('lab'), unable: whyNoNamespaces },
  ];
}

async function installPackages(): Promise<StepResult> {
  await ensurePackages(say);
  return nothing;
}

async function perform(step: Step): Promise<StepResult> {
  say(`── ${step.name}`);
  const reason = await step.unable?.();
  if (reason !== undefined) {
    say(`SKIPPED ${step.name}: ${reason}`);
    return { passed: 0, failed: 0, skipped: 1 };
  }
  try {
    return await step.run();
  } catch (error) {
    say(`${step.name} failed: ${error instanceof Error ? error.message : String(error)}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function runInOrder(steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    const started = performance.now();
    const result = await perform(step);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    passed += result.passed;
    failed += result.failed + (inCi ? result.skipped : 0);
    const skipped =
      result.skipped > 0 ? `, ${result.skipped} SKIPPED${inCi ? ' (a failure in CI)' : ''}` : '';
    summary.push(
      `${step.name.padEnd(16)} ${seconds.padStart(7)} s  ${result.passed} passed, ${result.failed} failed${skipped}`,
    );
  }
}

const scratch = await mkdtemp(join(tmpdir(), 'dock2ban-test-'));
await runInOrder(stepsWith(scratch));
await rm(scratch, { recursive: true, force: true });
say(`\n${summary.join('\n')}\n`);
say(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
