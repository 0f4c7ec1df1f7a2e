import { describe, expect, it } from 'vitest';
import { countTests } from './steps.ts';

const passing = { status: 'passed', fullName: 'a' };
const failing = { status: 'failed', fullName: 'b' };

function report(
  counts: [passed: number, failed: number, pending: number],
  ...files: [status: string, ...tests: { status: string; fullName: string }[]][]
): Parameters<typeof countTests>[0] {
  return {
    numPassedTests: counts[0],
    numFailedTests: counts[1],
    numPendingTests: counts[2],
    testResults: files.map(([status, ...assertionResults], i) => ({
      name: `${i}`,
      status,
      assertionResults,
    })),
  };
}

describe('counting the tests of a vitest run', () => {
  it('takes its own counts', () => {
    const run = report([3, 1, 2], ['failed', passing, failing], ['passed', passing, passing]);
    expect(countTests(run, false)).toEqual({ passed: 3, failed: 1, skipped: 2 });
  });

  it('counts a file that could not be loaded, or whose hook failed, as a failure', () => {
    const run = report(
      [1, 0, 1],
      ['failed'],
      ['failed', { status: 'skipped', fullName: 'c' }],
      ['passed', passing],
    );
    expect(countTests(run, false)).toEqual({ passed: 1, failed: 2, skipped: 1 });
  });

  it('counts a run that failed without a failed test', () => {
    expect(countTests(report([1, 0, 0], ['passed', passing]), false).failed).toBe(1);
    expect(countTests(report([1, 0, 0], ['passed', passing]), true).failed).toBe(0);
  });
});
