import type { ArgumentsCamelCase, Argv } from 'yargs';

/** Runs a command; its result, or its error, becomes the exit code. */
export type Answer = (act: () => number | Promise<number>) => Promise<void>;

/** A command of `dock2ban`. */
export interface Command {
  /** `ban <jail> <ips..>` */
  readonly usage: string;
  readonly addTo: (parser: Argv, answer: Answer) => void;
}

/** @param run resolves to the exit code */
export function defineCommand<Options>(
  usage: string,
  describe: string,
  options: (parser: Argv) => Argv<Options>,
  run: (argv: ArgumentsCamelCase<Options>) => number | Promise<number>,
): Command {
  return {
    usage,
    addTo: (parser, answer) =>
      void parser.command(usage, describe, options, (argv) => answer(() => run(argv))),
  };
}
