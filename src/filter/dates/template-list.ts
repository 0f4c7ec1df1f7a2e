import { Dock2banError } from '../../errors.ts';
import { defaultTemplates, plainDefaults } from './default-templates.ts';
import { parsePattern, withoutBounds } from './parse-pattern.ts';
import type { DateTemplate } from './template.ts';

const anyDate = /(?<!\\)\{DATE\}/gi;

/**
 * The templates of a `datepattern`, one a line: patterns; `{^LN-BEG}` alone for the default ones at the begin of a line;
 * `…{DATE}…` for each default one in that place; `{NONE}` for lines without a date.
 * @param datepattern undefined: the default templates
 * @throws Dock2banError `datepattern`
 */
export function templatesOf(datepattern: string | undefined, thisYear: number): DateTemplate[] {
  const lines = (datepattern ?? '').split('\n').map((line) => line.trim());
  const list = new Map<string, DateTemplate>();
  for (const line of lines.filter((text) => text !== '')) {
    const { templates, defaults } = templatesOfLine(line, thisYear);
    const filled = list.size > 0;
    for (const template of templates) {
      if (!list.has(template.name)) list.set(template.name, template);
      else if (!defaults || !filled)
        throw new Dock2banError('datepattern', `datepattern ${line} stands there twice`, {
          fix: 'remove one of the two',
        });
    }
  }
  return list.size > 0 ? [...list.values()] : defaultTemplates(thisYear);
}

function templatesOfLine(line: string, thisYear: number): { templates: DateTemplate[]; defaults: boolean } {
  const key = line.includes('%') ? line : line.toUpperCase();
  if (key === '{^LN-BEG}') {
    const leading = defaultTemplates(thisYear).filter((template) => template.lineBegin);
    return { templates: leading, defaults: true };
  }
  // fail2ban 1.0 adds nothing for it; with no other template, the default ones are used.
  if (key === '{DEFAULT}') return { templates: [], defaults: true };
  if (key.includes('{DATE}')) {
    const templates = plainDefaults(thisYear).map((template) =>
      parsePattern(
        line.replace(anyDate, () => withoutBounds(template.pattern ?? template.name)),
        thisYear,
      ),
    );
    return { templates, defaults: true };
  }
  if (key === '{NONE}') return { templates: [parsePattern('{UNB}^', thisYear, false)], defaults: false };
  const template = parsePattern(line, thisYear);
  // A mistake in it is reported now, not with the first line.
  template.find('', 'ascii', 0);
  return { templates: [template], defaults: false };
}
