import { ConfigError, invalid } from '../conf/config-error.ts';

/** `name[option=value, option2="a,b"][mode=aggressive]`, as `filter` and `action` are written. */
export interface Call {
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
}

/**
 * Parses a filter or action with its arguments. Values may stand in `"` or `'`; without quotes they end at `,` or `]`.
 * Of an option that comes twice the later value stands.
 *
 * @throws ConfigError that says where the syntax breaks
 */
export function parseCall(text: string): Call {
  const open = text.indexOf('[');
  const name = (open < 0 ? text : text.slice(0, open)).trim();
  const list = open < 0 ? '[]' : text.slice(open).trimEnd();
  if (name === '' || !list.endsWith(']'))
    throw invalid('name with options', text, 'write name or name[option=value, …]');
  return { name, options: new Map(optionsOf(list.slice(1, -1))) };
}

function* optionsOf(body: string): Generator<[string, string]> {
  const option = /\s*([\w\-.]+)=(?:"([^"]*)"|'([^']*)'|([^,\]]*))/uy;
  let at = 0;
  while (!/^,?\s*$/.test(body.slice(at))) {
    option.lastIndex = at;
    const match = option.exec(body);
    if (!match) throw broken(body, at, 'an option=value');
    yield [match[1]!, (match[2] ?? match[3] ?? match[4] ?? '').trim()];
    at = option.lastIndex;
    const separator = /^(?:,|\]\s*\[|\n?$)/.exec(body.slice(at));
    if (!separator) throw broken(body, at, '"," or the end');
    at += separator[0].length;
  }
}

function broken(body: string, at: number, wanted: string): ConfigError {
  return new ConfigError(
    `unexpected ${JSON.stringify(body.slice(at, at + 25))} at position ${at + 1} of [${body}]`,
    `${wanted} belongs there; put a value with "," or "]" in quotes`,
  );
}

/** Splits a list of calls at white space, but not at that within their options. */
export function splitCalls(text: string): string[] {
  const call = /[^\s[]+(?:\s*\[(?:"[^"]*"|'[^']*'|[^\]"'])*\])*|\S+/g;
  return text.match(call) ?? [];
}
