import { nearest } from '../config/options/nearest.ts';
import { exitCode } from './exit-code.ts';
import { output } from './output.ts';

/** Says what is wrong and where the help is, and ends the process. @param command whose help it is; default: dock2ban's */
export function wrongUsage(message: string, command?: string): never {
  const help = ['dock2ban', command, '--help'].filter((word) => word !== undefined).join(' ');
  output.warn(`${message.replaceAll(/\s*\n\s*/g, ' ')}\nsee ${help}\n`);
  process.exit(exitCode.wrongUsage);
}

/** @param known the names of all commands */
export function unknownCommand(name: string, known: readonly string[]): never {
  const meant = nearest(name, known);
  wrongUsage(`unknown command: ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`);
}
