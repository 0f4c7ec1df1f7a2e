import type { Closes, SourceSpec } from '../config/jail-spec.ts';

/** What a ban closes, in the form of the label: `80/tcp`, `8000:8010/udp`, `192.0.2.1:80/tcp`. */
export function portNames(closes: Closes): 'all' | readonly string[] {
  if (closes === 'all') return closes;
  return closes.map(({ protocol, first, last, hostAddress }) => {
    const range = first === last ? `${first}` : `${first}:${last}`;
    const address = hostAddress?.includes(':') ? `[${hostAddress}]` : hostAddress;
    return `${address === undefined ? '' : `${address}:`}${range}/${protocol}`;
  });
}

/** What a source is called in events and in `status`. */
export function sourceName(source: SourceSpec, syslogFile: string): string {
  switch (source.kind) {
    case 'syslog':
      return source.via === 'receiver' ? `syslog receiver:${source.program}` : syslogFile;
    case 'docker':
      return `docker:${source.container}`;
    case 'journald':
      return source.container === undefined ? 'journal' : `journal:${source.container}`;
    case 'file':
      return source.pattern;
  }
}
