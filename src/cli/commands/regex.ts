import { defineCommand } from '../command.ts';
import { output } from '../output.ts';
import { version } from '../version.ts';
import { builtinDir, configDir } from './options.ts';

/**
 * `dock2ban regex`, and fail2ban-regex. Its arguments are fail2ban-regex's own, where patterns may look like anything, so
 * that yargs has no part in it.
 * @param name how it was called
 */
export async function regex(name: string, words: readonly string[]): Promise<number> {
  const { regexCommand } = await import('../regex/command.ts');
  const context = { name, version, output, configDir: configDir.default, builtinDir, now: Date.now };
  return regexCommand(words, context);
}

export const command = defineCommand(
  'regex',
  'Test expressions, a filter or a jail on a log, as fail2ban-regex does',
  (parser) => parser.help(false),
  ({ _: [, ...words] }) => regex('dock2ban regex', words.map(String)),
);
