import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { DateDetector } from '../../src/filter/dates/detector.ts';
import { LocalClock } from '../../src/filter/dates/local-clock.ts';
import { templatesOf } from '../../src/filter/dates/template-list.ts';
import { fail2banTree } from './fail2ban-tree.ts';

const now = 1_124_013_600_000;
process.env['TZ'] = 'Europe/Berlin';

const tree = await fail2banTree();

type Found = [start: number, end: number, time: number | null] | null;

async function fail2bans(pattern: readonly string[], lines: readonly string[]): Promise<Found[]> {
  const { stdout } = await execa('/usr/bin/python3', [join(import.meta.dirname, 'detect_dates.py')], {
    input: JSON.stringify({ now: now / 1000, pattern, lines }),
    env: { PYTHONPATH: tree.pythonPath, TZ: 'Europe/Berlin' },
    maxBuffer: 100_000_000,
  });
  return JSON.parse(stdout) as Found[];
}

function ours(pattern: readonly string[], lines: readonly string[]): Found[] {
  const detector = new DateDetector(templatesOf(pattern.join('\n'), new Date().getFullYear()));
  const context = { now, zone: undefined, clock: new LocalClock() };
  return lines.map((line) => {
    const found = detector.find(line, now);
    const span = found?.match.span(1);
    if (!found || !span) return null;
    const time = found.template.time(found.match, line, context);
    return [span[0], span[1], time === undefined ? null : time / 1000];
  });
}

function differences(lines: readonly string[], a: readonly Found[], b: readonly Found[]): string[] {
  return lines.flatMap((line, i) => {
    const [mine, theirs] = [a[i]!, b[i]!];
    const near = Math.abs((mine?.[2] ?? 0) - (theirs?.[2] ?? 0)) < 0.001;
    const same = mine?.[0] === theirs?.[0] && mine?.[1] === theirs?.[1] && near;
    return same
      ? []
      : [`${line.slice(0, 120)}: fail2ban ${JSON.stringify(theirs)}, ours ${JSON.stringify(mine)}`];
  });
}

async function sampleLines(): Promise<string[]> {
  const files = (await readdir(tree.samples, { withFileTypes: true })).filter((entry) => entry.isFile());
  const logs = await Promise.all(files.map(({ name }) => readFile(join(tree.samples, name), 'utf8')));
  return logs.flatMap((log) => log.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#')));
}

const forms = [
  '2005-08-13T21:59:59.981746+02:00',
  '2005-08-13 21:59:59,98 UTC',
  '2005/8/3  1:59:59',
  '2005.08.14 12:00:00Z',
  'Sat Aug 13 21:59:59.011 2005',
  'Aug 13 21:59:59',
  'aug  3 1:59:59',
  'Dec 31 23:59:59',
  'Aug 15 11:00:00',
  'Aug 15 13:00:01',
  'Feb 29 10:00:00',
  'Sat Aug 13 2005 21:59:59',
  '13/08/2005 21:59:59',
  '13-08-05 1:02:03',
  '13/Aug/2005:21:59:59 -0700',
  '13-Aug-2005 21:59:59.252',
  '08/13/2005:21:59:59',
  '08-13-2005 21:59:59.252',
  '1123970401',
  '1123970401.123',
  '[1123970401]',
  'audit(1123970401.123:45)',
  '21:59:59',
  '11:59:59',
  '12:00:01',
  '<08/13/05@21:59:59>',
  '050813 21:59:59',
  '050813  1:59:59',
  'Aug 13, 2005 9:59:59 PM',
  'Aug 13, 2005 12:00:00 AM',
  'Aug-13-05 21:59:59',
  '20050813T215959',
  '20050813 215959+0200',
  'CEST Aug 13 21:59:59',
  'PDT Sat Aug 13 21:59:59.5 2005',
  '+02:00 Aug 13 21:59:59.011 2005',
  '@4000000042fe95c10a2b3c4d',
  'Aug 32 21:59:59',
  '2005-02-30 10:00:00',
  'Aug 13 25:00:00',
  '2005-10-30 02:30:00',
  '2005-03-27 02:30:00',
  'XYZ Aug 13 21:59:59',
  '31/Dec/2004:23:59:60 +0000',
];

describe('dates are found and read as fail2ban does', () => {
  it('in all sample lines, one after the other', async () => {
    const lines = await sampleLines();
    expect(differences(lines, ours([], lines), await fail2bans([], lines))).toEqual([]);
  });

  it('of each form, at the begin, in the middle, in brackets, in every order', async () => {
    const lines = [3, 7, 11, 19].flatMap((step) =>
      forms.flatMap((_, i) => {
        const form = forms[(i * step) % forms.length]!;
        const other = forms[(i * (step + 2)) % forms.length]!;
        return [
          `${form} x`,
          `[${form}] y`,
          `some text ${form} more`,
          `host ${other} and ${form}`,
          form,
          `é${form}é`,
          `x${form}`,
        ];
      }),
    );
    expect(differences(lines, ours([], lines), await fail2bans([], lines))).toEqual([]);
  });

  it.each([
    [['{^LN-BEG}']],
    [['{^LN-BEG}Epoch', '{^LN-BEG}']],
    [['^<co ts="{DATE}"']],
    [['^[^\\[]*(\\[{DATE}\\s*\\])', '{^LN-BEG}']],
    [['{NONE}']],
    [['Epoch']],
    [['LEPOCH']],
    [['{UNB}%H:%M']],
    [['^%Y-%m-%d']],
    [['%d %b %Y']],
    [['%y%m%d']],
    [['%j %Y']],
    [['%W %a %Y']],
    [['ts={EPOCH}']],
    [['ts={LEPOCH},']],
    [['TAI64N']],
    [['%c']],
    [['%x %X']],
    [['%Exd/%Exm/%Exy %ExH%ExM%ExS %Exz']],
    [['^(?:%Y-)?%m-%d %H:%M %ExZ']],
    [['%%%d%%']],
    [['date: %A %B %d']],
    [['{DEFAULT}']],
    [['%H:%M$']],
    [['**%H%M**']],
    [['%l:%M %p']],
    [['{^LN-BEG}(?:%k:%M)']],
    [['%H:%M:%S.%f']],
  ])('by datepattern %j', async (pattern) => {
    const extra = [
      '<co ts="2005-08-13 21:59:59" x',
      'ts=1123970401 x',
      'ts=1123970401123, y',
      'ts=1123970401123456, z',
      '1123970401123 x',
      '225 2005',
      '32 Sat 2005',
      '13/08/05 215959 CEST',
      '2005-08-13 21:59 EST',
      '08-13 21:59 Z',
      '%13%',
      'Date: Saturday August 13',
      'at 21:59',
      'x2159x',
      '9:59 pm',
      ' 9:59',
      'Sat Aug 13 21:59:59 2005',
      '08/13/05 21:59:59',
      '13 Aug 2005',
      '050813',
      '12:13:14.567',
      'node[1]: [2005-08-13 21:59:59 ] text',
    ];
    const lines = [...forms, ...extra, ...forms.map((form) => `abc [${form}] def`)];
    expect(differences(lines, ours(pattern, lines), await fail2bans(pattern, lines))).toEqual([]);
  });
});
