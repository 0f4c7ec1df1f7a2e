import { regexCommand, type RegexContext } from '../../../src/cli/regex/command.ts';

/** 2026-11-22T13:44:53Z. */
export const now = Date.UTC(2026, 10, 22, 13, 44, 53);

/** Runs `dock2ban regex` in this process. */
export async function runRegex(args: readonly string[], context: Partial<RegexContext> = {}) {
  let stdout = '';
  let stderr = '';
  const exitCode = await regexCommand(args, {
    name: 'fail2ban-regex',
    version: '0.1.0',
    configDir: '/no/such/directory',
    builtinDir: 'filters',
    now: () => now,
    lookup: () => Promise.reject(new Error('no DNS')),
    output: {
      print: (text) => {
        stdout += text;
      },
      warn: (text) => {
        stderr += text;
      },
    },
    ...context,
  });
  return { exitCode, stdout, stderr };
}

/** `Lines: …` of a report. */
export function linesOf({ stdout }: { stdout: string }): string | undefined {
  return /^Lines: (.*)$/m.exec(stdout)?.[1];
}
