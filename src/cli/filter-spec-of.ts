import { parseJailOption } from '../config/options/jail-options.ts';
import type { FilterSpec } from '../filter/spec.ts';

/**
 * The filter that resolved options make, as fail2ban-regex uses it: without any jail.
 * @throws ConfigError for an option that is no value
 */
export function filterSpecOf(name: string, options: ReadonlyMap<string, string>): FilterSpec {
  const list = (option: string): string[] => nonEmptyLines(options.get(option) ?? '');
  const single = (option: string): string | undefined => {
    const text = options.get(option);
    return text === undefined || text.trim() === '' ? undefined : text;
  };
  const maxlines = single('maxlines');
  return {
    name,
    failregex: list('failregex'),
    ignoreregex: list('ignoreregex'),
    prefregex: single('prefregex'),
    datepattern: single('datepattern'),
    maxlines: maxlines === undefined ? 1 : parseJailOption('maxlines', maxlines),
    usedns: 'warn',
    logtype: options.get('logtype') === 'journal' ? 'journal' : 'file',
  };
}

export function nonEmptyLines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
