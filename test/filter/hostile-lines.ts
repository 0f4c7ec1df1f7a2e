/** What lines are blown up to. */
const length = 70_000;
/** What expressions may like to repeat. */
const units = ['a', ' ', '1', '"', '\\"', ' [', '] "', ': ', '1:', '1.', '","', '<', '\u00e9'];

/** A line that an expression matches, repeated, and with long runs of something in all its places. */
export function runsIn(line: string): string[] {
  const words = [...line.matchAll(/[^\w\s]+|\s+|\w+/g)];
  const places = words.filter((_, i) => i % Math.ceil(words.length / 4) === 0).map(({ index }) => index);
  return [
    filled('', line, ''),
    ...places.flatMap((at) => {
      const [begin, end] = [line.slice(0, at), line.slice(at)];
      return [
        filled(begin, end.slice(0, 12), end),
        filled(begin, end, 'x'),
        ...units.map((unit) => filled(begin, unit, end)),
      ];
    }),
  ];
}

function filled(begin: string, unit: string, end: string): string {
  return begin + unit.repeat(Math.ceil((length - begin.length - end.length) / unit.length)) + end;
}

/** Sample lines blown up in the middle, by runs of one character and by repeats of what the expressions like; and noise. */
export function* blownUp(samples: readonly string[]): Generator<string> {
  const random = generator();
  const pick = (n: number): number => Math.floor(random() * n);
  for (let i = 0; i < 24; i += 1) {
    const sample = samples[pick(samples.length)] ?? '';
    const at = pick(sample.length);
    const some = sample.slice(at, at + [1, 3, 12, 40][i % 4]!) || ' ';
    const chunk = [some, some, ' ', 'a ', '1.', ':', `${some}é`, some][i % 8]!;
    const tail = i % 3 === 0 ? '' : sample.slice(at);
    yield sample.slice(0, at) + chunk.repeat(Math.ceil(length / chunk.length)) + tail;
  }
  yield String.fromCharCode(...Array.from({ length }, () => pick(256)));
}

/** Numbers that are the same in each run; Park and Miller's. */
function generator(): () => number {
  let state = 42;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
