import { oneLine } from './plain-text.ts';

/** What makes a log's JSON lines readable, each with its line break. */
export async function prettyLog(colors: boolean): Promise<(json: string) => string> {
  const { prettyFactory } = await import('pino-pretty');
  const pretty = prettyFactory({
    colorize: colors,
    translateTime: 'SYS:yyyy-mm-dd HH:MM:ss.l',
    // A message says it all; the fields are for programs.
    hideObject: true,
    messageFormat: ({ msg }) => oneLine(String(msg)),
  });
  return (json) => pretty(json);
}
