import { expect, it } from 'vitest';
import { withoutClashes } from '../../../src/daemon/jails/name-clashes.ts';
import { jailSpec } from '../../jail/jail-spec.ts';

const specs = ['apple', 'avocado', 'banana'].map((name) => jailSpec({ name }));
const namesOf = (jails: readonly { name: string }[]) => jails.map(({ name }) => name);
const initial = (jail: string) => jail.slice(0, 1);

it("leaves out a jail whose set is another's, and says so", () => {
  const { jails, problems } = withoutClashes(specs, [], initial);
  expect(namesOf(jails)).toEqual(['apple', 'banana']);
  expect(problems).toMatchObject([{ severity: 'warn', jail: 'avocado', fix: expect.any(String) }]);
});

it('never takes the set of a jail that runs', () => {
  expect(namesOf(withoutClashes(specs, ['avocado', 'banana'], initial).jails)).toEqual(['avocado', 'banana']);
});

it('finds none among real names', () => {
  expect(withoutClashes(specs, ['apple', 'x'.repeat(100), 'x'.repeat(101)])).toEqual({
    jails: specs,
    problems: [],
  });
});
