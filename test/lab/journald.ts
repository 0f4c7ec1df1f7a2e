import type { Lab } from './lab.ts';

/** Where the lab's journal is, to be mounted. */
export const journalVolume = '/run/log/journal:/run/log/journal:ro';

/** Runs systemd's journald in the host, until it is disposed of. It runs without systemd: tried with 252, in a mount namespace with its own /run. */
export async function startJournald({ host }: Lab): Promise<AsyncDisposable> {
  await host.exec(['mkdir', '--parents', '/run/systemd/journald.conf.d', '/run/log/journal']);
  await host.exec(['tee', '/run/systemd/journald.conf.d/lab.conf'], {
    input: '[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\nForwardToSyslog=no\n',
  });
  const journald = host.spawn(['/lib/systemd/systemd-journald']);
  const listens = async (): Promise<boolean> =>
    (await host.exec(['test', '-S', '/run/systemd/journal/socket'], { reject: false })).exitCode === 0;
  await host.until('journald listens', listens);
  return {
    [Symbol.asyncDispose]: async () => {
      journald.kill();
      await journald;
    },
  };
}
