import type { ConfigProblem, JailSpec } from '../config/jail-spec.ts';

/** Problems of the sources that no part of dock2ban reads yet. */
export function unservedSources(jails: readonly JailSpec[]): ConfigProblem[] {
  return jails.flatMap(({ name: jail, sources }) =>
    sources.flatMap((source): ConfigProblem[] => {
      switch (source.kind) {
        case 'syslog':
        case 'file':
          return [];
        case 'docker':
          return [unserved(jail, source.container, "Docker's log API, which its log driver asks for,")];
        case 'journald':
          return [unserved(jail, source.container, 'the journal')];
      }
    }),
  );
}

function unserved(jail: string, container: string | undefined, what: string): ConfigProblem {
  return {
    severity: 'warn',
    where: container === undefined ? `jail ${jail}` : `container ${container}, jail ${jail}`,
    message: `${what} can't be read by this version: its lines are not watched`,
    fix: 'let the service log to syslog: logging: { driver: syslog, options: { tag: NAME } }',
    jail,
    ...(container !== undefined && { container }),
  };
}
