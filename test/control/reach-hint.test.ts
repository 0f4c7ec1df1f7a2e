import { expect, it } from 'vitest';
import { reachHint } from '../../src/control/client.ts';

it('asks whether the controller runs only where that can be the cause', () => {
  expect(reachHint('ENOENT')).toMatch(/^is it running\? .*docker exec dock2ban/);
  expect(reachHint('ECONNREFUSED')).toMatch(/^is it running/);
  expect(reachHint(undefined)).toMatch(/^is it running/);
  expect(reachHint('EACCES')).toMatch(/^only root may use it/);
});
