import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { formulaVariables } from '../../src/config/options/bantime-increment.ts';
import { parseDuration } from '../../src/config/options/duration.ts';
import { parseCall } from '../../src/config/options/filter-call.ts';
import { evaluateFormula, parseFormula } from '../../src/config/options/formula.ts';
import { splitWords } from '../../src/config/conf/words.ts';
import { askFail2ban, attempt } from './fail2ban-config.ts';
import { fail2banTree, type Fail2banTree } from './fail2ban-tree.ts';

let fail2ban: Fail2banTree;

beforeAll(async () => {
  fail2ban = await fail2banTree();
});

const parts = fc.constantFrom(
  '1',
  '12',
  '600',
  'd',
  'h',
  'mo',
  'm',
  's',
  'y',
  'weeks',
  'hour',
  ' ',
  '+',
  '-',
  '*',
  'x',
  '.',
  '(',
  ')',
);

it('reads times as fail2ban does', () => {
  const texts = [
    '600',
    '-1',
    '1d12h30m',
    '1y 6mo',
    '1h-30m',
    '10 minutes',
    '1.5h',
    '1W',
    '1month',
    '2*3h',
    '',
    'x',
    '5 5',
  ];
  for (const words of fc.sample(fc.array(parts, { minLength: 1, maxLength: 5 }), {
    numRuns: 8000,
    seed: 3,
  }))
    texts.push(words.join(''));
  const { durations } = askFail2ban(fail2ban, { durations: texts });
  expect(durations.filter((value) => value !== null).length).toBeGreaterThan(300);
  expect(texts.map((text) => [text, attempt(() => parseDuration(text))])).toEqual(
    texts.map((text, index) => [text, durations[index]]),
  );
});

it('reads name[option=value] as fail2ban does', () => {
  const texts = [
    'sshd',
    'sshd[mode=aggressive]',
    'x[a=1, b="2,3"][c=\'d]\']',
    'x[a=]',
    'x[a="1"b]',
    'x[',
    'x]',
    'x[a=1]y',
    'x[,]',
  ];
  const piece = fc.constantFrom('a', 'b=', '=', '"', "'", ',', ']', '[', ' ', '1', ', c=', '][', '-');
  for (const words of fc.sample(fc.array(piece, { maxLength: 9 }), { numRuns: 4000, seed: 4 }))
    texts.push(`name[${words.join('')}]`);
  const { calls } = askFail2ban(fail2ban, { calls: texts });
  expect(calls.filter((call) => call !== null).length).toBeGreaterThan(300);
  const ours = texts.map((text) => attempt(() => parseCall(text)));
  expect(
    texts.map((text, index) => [
      text,
      ours[index] && [ours[index].name, Object.fromEntries(ours[index].options)],
    ]),
  ).toEqual(texts.map((text, index) => [text, calls[index]]));
});

it('splits words as a shell does', () => {
  const piece = fc.constantFrom('a', 'b c', '"', "'", '\\', ' ', '+', 'X=1', '\n', '$');
  const texts = fc
    .sample(fc.array(piece, { maxLength: 8 }), { numRuns: 3000, seed: 5 })
    .map((words) => words.join(''));
  const { words } = askFail2ban(fail2ban, { words: texts });
  expect(texts.map((text) => [text, attempt(() => splitWords(text))])).toEqual(
    texts.map((text, index) => [text, words[index]]),
  );
});

it('computes formulas as Python does', () => {
  const texts = [
    'ban.Time * (1<<(ban.Count if ban.Count<20 else 20)) * banFactor',
    'ban.Time * math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)',
    'ban.Time * (1<<min(ban.Count,20)) * banFactor',
    '-2**2 + 7//2 - -7//2 + 7 % -3 + 2**-1',
    'int(ban.Time / 7) if not ban.Count > 3 and ban.Time >= 60 else max(1, 2, ban.Count) ** 2',
    '1 if ban.Count == 1 or ban.Count == 2 else 5 if ban.Count < 9 else 10',
    'ban.Time >> 2',
    'math.pow(ban.Count, 2) + math.sqrt(16) + math.floor(2.5) + math.ceil(2.5) + math.log(8, 2) + abs(-1)',
    'ban.Time *',
    'ban.time',
    '__import__("os").system("true")',
    '(1, 2)',
  ];
  const cases = texts.flatMap((text) =>
    [0, 1, 2, 5, 25].map((count): [string, number, number, number] => [text, 600, count, 1.5]),
  );
  const { formulas } = askFail2ban(fail2ban, { formulas: cases });
  const rounded = (value: number | null): string | null => (value === null ? null : value.toPrecision(12));
  const ours = cases.map(([text, time, count, factor]) =>
    attempt(() =>
      evaluateFormula(parseFormula(text, formulaVariables), {
        'ban.Time': time,
        'ban.Count': count,
        banFactor: factor,
        factor,
      }),
    ),
  );
  // Python would run the code: only that we refuse it counts.
  const expected = formulas.map((value, index) =>
    cases[index]?.[0].startsWith('__import__') ? null : value,
  );
  expect(ours.map(rounded)).toEqual(expected.map(rounded));
});
