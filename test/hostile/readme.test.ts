import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { compileFilter } from '../../src/filter/filter.ts';
import { specOf } from '../filter/specs.ts';
import { colonSender, sender } from './record.ts';
import { hostileRecords } from './records.ts';
import { forgeries, recordsOf } from './texts.ts';

const now = Date.parse('2026-11-22T13:44:53Z');

it('nobody forges what the README’s own expression is for', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const expression = /fail2ban\.failregex: '(.*)'$/m.exec(readme)![1]!;
  const filter = compileFilter(specOf(expression));
  const found = new Set<string>();
  const texts = forgeries(await recordsOf('nginx-proxy'));
  for (const { line, stream } of hostileRecords['nginx-proxy']!)
    for (const text of stream === 'stdout' ? texts : [])
      for (const lead of ['', 'nginx.1     | '])
        for (const { id } of filter.process(
          {
            text: lead + line(text).replace('www.example.org', 'app.example.com'),
            time: undefined,
            dateRemoved: false,
          },
          now,
        ))
          found.add(id);
  expect([...found].toSorted()).toEqual([sender, colonSender]);
});
