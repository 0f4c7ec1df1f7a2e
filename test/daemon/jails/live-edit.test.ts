import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JailSpec } from '../../../src/config/jail-spec.ts';
import { Dock2banError } from '../../../src/errors.ts';
import { withEdit } from '../../../src/daemon/jails/jail-edit.ts';
import { type JailOverlay, noOverlay, overlaid } from '../../../src/daemon/jails/jail-overlay.ts';
import { editRequest } from '../../../src/control/live-requests.ts';

const spec: JailSpec = {
  name: 'app',
  filter: {
    name: 'app',
    failregex: ['^bad <HOST>$', '^worse <HOST>$'],
    ignoreregex: ['good'],
    prefregex: undefined,
    datepattern: undefined,
    maxlines: 1,
    usedns: 'warn',
    logtype: 'file',
  },
  sources: [],
  closes: 'all',
  blocktype: 'drop',
  ipv6prefix: 64,
  maxretry: 5,
  findtime: 600,
  bantime: 600,
  ignoreip: ['192.0.2.1', '2001:db8::/32'],
  ignoreNames: ['example.com'],
  ignoreself: true,
  containers: [],
};

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
      fc.property(fc.array(edit, { maxLength: 4 }), (edits) => {
        let overlay: JailOverlay = noOverlay;
        for (const each of edits) {
          const request = editRequest.safeParse(JSON.parse(JSON.stringify(each)));
          if (!request.success) continue;
          const before = overlaid(spec, overlay);
          try {
            overlay = withEdit(spec, overlay, request.data);
          } catch (error) {
            expect(error).toBeInstanceOf(Dock2banError);
            expect(error).toMatchObject({ code: 'invalid-option', fix: expect.stringMatching(/./) });
            expect(overlaid(spec, overlay)).toEqual(before);
          }
          const edited = overlaid(spec, overlay);
          expect(edited.filter.failregex.length).toBeGreaterThan(0);
          for (const value of [edited.maxretry, edited.findtime, edited.filter.maxlines]) {
            expect(value).toBeGreaterThan(0);
          }
          expect(edited.bantime === -1 || edited.bantime > 0).toBe(true);
          expect(edited).toMatchObject({ name: spec.name, sources: [], closes: 'all', containers: [] });
        }
      }),
      { numRuns: 500 },
    );
  });

  it('holds over another configuration', () => {
    const overlay = withEdit(spec, noOverlay, {
      set: { bantime: '1h', MaxRetry: '3' },
      addignoreip: ['203.0.113.9'],
      delignoreip: ['2001:db8:0::/32'],
      delfailregex: [0],
      addfailregex: ['^worst <HOST>$'],
    });
    const other = { ...spec, bantime: 60, findtime: 60, ignoreip: ['192.0.2.1', '192.0.2.2'] };
    expect(overlaid(other, overlay)).toMatchObject({
      bantime: 3600,
      maxretry: 3,
      findtime: 60,
      ignoreip: ['192.0.2.1', '192.0.2.2', '203.0.113.9'],
      ignoreNames: ['example.com'],
      filter: { failregex: ['^worse <HOST>$', '^worst <HOST>$'] },
    });
  });

  it('takes back what an edit before it did', () => {
    const added = withEdit(spec, noOverlay, { addignoreip: ['203.0.113.9'], addignoreregex: ['fine'] });
    const back = withEdit(spec, added, { delignoreip: ['203.0.113.9'], delignoreregex: [1] });
    expect(overlaid(spec, back)).toEqual(spec);
    const removed = withEdit(spec, noOverlay, { delignoreip: ['192.0.2.1'] });
    const again = withEdit(spec, removed, { addignoreip: ['192.0.2.1'] });
    expect(overlaid(spec, again).ignoreip.toSorted()).toEqual(spec.ignoreip.toSorted());
  });

  it('is limited in what it may pile up', () => {
    const many = Array.from({ length: 1001 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    expect(() => withEdit(spec, noOverlay, { addignoreip: many })).toThrow('more than 1000 changes by hand');
  });
});
