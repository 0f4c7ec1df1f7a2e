import { expect, it } from 'vitest';
import { endsAtWord } from '../../src/filter/dates/ends-at-word.ts';

it.each([
  ['%b %d %H:%M:%S', true, true],
  ['%b %d %H:%M:%S', false, false],
  ['%Y-%m-%d,? ', true, false],
  [String.raw`%H:%M:%S(?:\.%f)?`, true, true],
  [String.raw`%H:%M:%S(?:\.%f,)?`, true, false],
  [String.raw`^\S+ - [^"]{0,300}\[(%d/%b/%ExY:%H:%M:%S %z)\]`, false, true],
  [String.raw`^\[(%d/%b/%ExY:%H:%M:%S %z)\]?`, false, false],
  [String.raw`^\[(%d/%b/%ExY:%H:%M:%S %z)\w`, false, false],
  [String.raw`^\[(%d/%b/%ExY:%H:%M:%S %z)[\]]`, false, false],
  [String.raw`^(?:x )?t=(%ExY-%Exm-%ExdT%H:%M:%S(?:\.\d{1,9})?(?:%z)?)`, true, true],
  [String.raw`^(?:x )?t=(%ExY-%Exm-%ExdT%H:%M:%S(?:\.\d{0,9})?(?:%z)?)`, true, false],
  [String.raw`^\{.*"t":"(%ExY-%Exm-%ExdT%H:%M:%S(?:%z)?)"`, false, true],
  [String.raw`^\{.*"t":"(%ExY-%Exm-%Exd)"?`, false, false],
  [String.raw`^t="(%ExY-%Exm-%Exd)"|%H:%M`, false, false],
  [String.raw`^{EPOCH}(?=: )`, false, true],
  [String.raw`^{EPOCH}(?=\s)`, false, true],
  [String.raw`^{EPOCH}(?=\s*)`, false, false],
  [String.raw`^{EPOCH}(?=\s|x)`, false, false],
  [String.raw`^[()]+ \((%H:(?:%M|%S))\)`, false, true],
])('whether %s ends at a word (bound: %s): %s', (pattern, bound, expected) => {
  expect(endsAtWord(pattern, bound)).toBe(expected);
});
