import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JailSpec } from '../../../src/config/jail-spec.ts';
import { Dock2banError } from '../../../src/errors.ts';
import { type JailEdits, noEdits } from '../../../src/config/jails/jail-edits.ts';
import { resolveJails } from '../../../src/config/resolve.ts';
import { editRequest } from '../../../src/control/requests.ts';
import { withEdit } from '../../../src/daemon/jails/jail-edit.ts';
import { treeOf } from '../../config/tree.ts';

const section = (more = ''): string => `[app]
enabled = true
filter =
failregex = ^bad <HOST>$
 ^worse <HOST>$
ignoreregex = good
logpath = /var/log/app.log
${more}
`;
const configured = section('ignoreip = 192.0.2.1 2001:db8::/32 example.com');

/** The jail of a configuration with what was changed by hand. */
function edited(edits: JailEdits, jailLocal = configured): JailSpec {
  const { jails, editFaults } = resolveJails({
    tree: treeOf({ 'jail.local': jailLocal }),
    containers: [],
    compileFilter: () => undefined,
    edits: new Map([['app', edits]]),
  });
  expect(editFaults.size).toBe(0);
  return jails[0]!;
}

const spec = edited(noEdits);

const options = [
  'bantime',
  'findtime',
  'maxretry',
  'maxmatches',
  'maxlines',
  'usedns',
  'ignoreself',
  'ignorecommand',
  'ignorecache',
  'datepattern',
  'prefregex',
  'logencoding',
  'logtimezone',
  'blocktype',
  'ipv6prefix',
  'bantime.increment',
  'bantime.formula',
  'bantime.multipliers',
  'bantime.factor',
  'bantime.maxtime',
  'bantime.rndtime',
  'bantime.overalljails',
];

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '-1',
    '1e999',
    '9'.repeat(400),
    '((((',
    '%(x)s',
    '\0',
    '__proto__',
    '1d 1h',
    'true',
  ),
  fc.constantFrom(
    '0.0.0.0/0',
    '192.0.2.1',
    'file:/etc/passwd',
    'file:',
    '::ffff:192.0.2.1',
    '(?P<x>',
    '<HOST>',
  ),
);
const list = fc.array(hostile, { maxLength: 3 });
const indexes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });

const edit = fc.record(
  {
    set: fc.dictionary(fc.oneof(fc.constantFrom(...options), hostile), hostile, { maxKeys: 4 }),
    addignoreip: list,
    delignoreip: list,
    addfailregex: list,
    delfailregex: indexes,
    addignoreregex: list,
    delignoreregex: indexes,
  },
  { requiredKeys: [] },
);

describe('an edit by hand', () => {
  it('is refused with a word and a fix, or gives a jail that can run; whatever was edited before', () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 4 }), (all) => {
        let edits: JailEdits = noEdits;
        for (const each of all) {
          const request = editRequest.safeParse(JSON.parse(JSON.stringify(each)));
          if (!request.success) continue;
          const before = edited(edits);
          try {
            edits = withEdit(before, edits, request.data);
          } catch (error) {
            expect(error).toBeInstanceOf(Dock2banError);
            expect(error).toMatchObject({ code: 'invalid-option', fix: expect.stringMatching(/./) });
            expect(edited(edits)).toEqual(before);
          }
          const after = edited(edits);
          expect(after.filter.failregex.length).toBeGreaterThan(0);
          for (const value of [after.maxretry, after.findtime, after.filter.maxlines]) {
            expect(value).toBeGreaterThan(0);
          }
          expect(after.bantime === -1 || after.bantime > 0).toBe(true);
          expect(after).toMatchObject({ name: 'app', sources: spec.sources, closes: 'all', containers: [] });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('holds over another configuration', () => {
    const edits = withEdit(spec, noEdits, {
      set: { bantime: '1h', MaxRetry: '3' },
      addignoreip: ['203.0.113.9'],
      delignoreip: ['2001:db8:0::/32'],
      delfailregex: [0],
      addfailregex: ['^worst <HOST>$'],
    });
    const other = section('bantime = 60\nfindtime = 60\nignoreip = 192.0.2.1 192.0.2.2 example.com');
    expect(edited(edits, other)).toMatchObject({
      bantime: 3600,
      maxretry: 3,
      findtime: 60,
      ignoreip: ['192.0.2.1', '192.0.2.2', '203.0.113.9'],
      ignoreNames: ['example.com'],
      filter: { failregex: ['^worse <HOST>$', '^worst <HOST>$'] },
    });
  });

  it('takes back what an edit before it did', () => {
    const added = withEdit(spec, noEdits, { addignoreip: ['203.0.113.9'], addignoreregex: ['fine'] });
    const back = withEdit(edited(added), added, { delignoreip: ['203.0.113.9'], delignoreregex: [1] });
    expect(edited(back)).toEqual({
      ...spec,
      filter: { ...spec.filter, origin: { where: 'what was changed by hand' } },
    });
    const removed = withEdit(spec, noEdits, { delignoreip: ['192.0.2.1'] });
    const again = withEdit(edited(removed), removed, { addignoreip: ['192.0.2.1'] });
    expect(edited(again).ignoreip.toSorted()).toEqual(spec.ignoreip.toSorted());
  });

  it('is limited in what it may pile up', () => {
    const many = Array.from({ length: 1001 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    expect(() => withEdit(spec, noEdits, { addignoreip: many })).toThrow('more than 1000 changes by hand');
  });
});
