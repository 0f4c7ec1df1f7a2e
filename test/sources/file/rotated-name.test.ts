import { describe, expect, it } from 'vitest';
import { compareRotations, logsOf, rotationOf } from '../../../src/sources/file/rotated-name.ts';

describe('the name of a rotated log', () => {
  it.each([
    ['app.log.1', 'app.log', '1'],
    ['syslog.10', 'syslog', '10'],
    ['app.log-20261122', 'app.log', '20261122'],
    ['app-20261122.log', 'app.log', '20261122'],
    ['app.2026-11-22.log', 'app.log', '2026-11-22'],
    ['app.log.2026-11-22_13.44.52', 'app.log', '2026-11-22_13.44.52'],
    ['app.log', 'app.log', undefined],
    ['app.log.old', 'app.log', undefined],
    ['app.log.1.gz', 'app.log', undefined],
    ['app.log1', 'app.log', undefined],
    ['worker-2.log', 'worker.log', undefined],
    ['worker.log', 'worker-2.log', undefined],
    ['my-app.log.1', 'app.log', undefined],
    ['app-20261122.err', 'app.log', undefined],
  ])('%s, of %s: %s', (name, log, part) => {
    expect(rotationOf(name, log)).toBe(part);
    expect(logsOf(name).includes(log)).toBe(part !== undefined);
  });

  it('tells which is the older, at the same time', () => {
    expect(['1', '10', '2'].toSorted(compareRotations)).toEqual(['10', '2', '1']);
    expect(['20261122', '20261101'].toSorted(compareRotations)).toEqual(['20261101', '20261122']);
    expect(['2026-11-22_10', '2026-11-22_09'].toSorted(compareRotations)).toEqual([
      '2026-11-22_09',
      '2026-11-22_10',
    ]);
  });
});
