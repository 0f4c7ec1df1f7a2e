import { expect, it } from 'vitest';
import { hasFloatingAddress } from '../../src/filter/floating-address.ts';

it.each([
  ['^.*failed login for .* from <HOST>', true],
  ['failed login from <HOST>', true],
  ['^x (?:a|.*b) <ADDR> c', true],
  ['^x .+? <F-ID>\\S+</F-ID> .*$', true],
  ['^Invalid user .* from <HOST> port \\d+$', false],
  ['^<HOST> .* 404', false],
  ['^(?:\\S+ )?<ADDR> - .* 404 ', false],
  ['^(?:a|b) from <HOST>', false],
  ['(?:^a|b) from <HOST>', true],
  ['^user "[^"]*", client: <HOST>', false],
])('the place of the address in %s is open: %s', (expression, isOpen) => {
  expect(hasFloatingAddress(expression)).toBe(isOpen);
});
