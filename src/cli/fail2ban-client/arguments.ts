import { parseArgs } from 'node:util';
import { Dock2banError, messageOf } from '../../errors.ts';

/** What a call of fail2ban-client asks for. */
export interface ClientArguments {
  readonly socket: string | undefined;
  readonly configDir: string | undefined;
  readonly test: boolean;
  readonly dump: boolean;
  readonly help: boolean;
  readonly interactive: boolean;
  readonly version: 'short' | 'long' | undefined;
  /** A time to convert to seconds. */
  readonly time: string | undefined;
  readonly command: readonly string[];
}

/** fail2ban-client's options; those about its server's process have no effect here. */
const options = {
  conf: { type: 'string', short: 'c' },
  socket: { type: 'string', short: 's' },
  pidfile: { type: 'string', short: 'p' },
  pname: { type: 'string' },
  loglevel: { type: 'string' },
  logtarget: { type: 'string' },
  syslogsocket: { type: 'string' },
  timeout: { type: 'string' },
  str2sec: { type: 'string' },
  d: { type: 'boolean', short: 'd' },
  dp: { type: 'boolean' },
  'dump-pretty': { type: 'boolean' },
  test: { type: 'boolean', short: 't' },
  v: { type: 'boolean', short: 'v' },
  q: { type: 'boolean', short: 'q' },
  i: { type: 'boolean', short: 'i' },
  x: { type: 'boolean', short: 'x' },
  b: { type: 'boolean', short: 'b' },
  f: { type: 'boolean', short: 'f' },
  async: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  V: { type: 'boolean', short: 'V' },
  version: { type: 'boolean' },
} as const;

/**
 * Parses a call: options stand before the command, as with getopt; what follows belongs to the command.
 * @throws Dock2banError `usage`
 */
export function parseClientArguments(argv: readonly string[]): ClientArguments {
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const first = tokens.find(({ kind }) => kind === 'positional')?.index ?? argv.length;
  try {
    const { values } = parseArgs({ args: argv.slice(0, first), options });
    return {
      socket: values.socket,
      configDir: values.conf,
      test: values.test ?? false,
      dump: (values.d ?? values.dp ?? values['dump-pretty']) || false,
      help: values.help ?? false,
      interactive: values.i ?? false,
      version: values.V ? 'short' : values.version ? 'long' : undefined,
      time: values.str2sec,
      command: argv.slice(first),
    };
  } catch (cause) {
    throw new Dock2banError('usage', messageOf(cause), { cause });
  }
}
