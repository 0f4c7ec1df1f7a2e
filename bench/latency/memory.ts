import type { LabHost } from '../../test/lab/host.ts';

/** A process's memory in megabytes of 1,000,000 bytes. */
export interface Memory {
  readonly vmRss: number;
  /** The highest VmRSS so far. */
  readonly vmHwm: number;
  /** Resident memory, what is shared with other processes counted in parts. */
  readonly pss: number;
}

/** @param pid as the host numbers it */
export async function readMemory(host: LabHost, pid: number): Promise<Memory> {
  const { stdout } = await host.exec(['cat', `/proc/${pid}/status`, `/proc/${pid}/smaps_rollup`]);
  const megabytes = (field: string): number => {
    const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(stdout)?.[1];
    if (kibibytes === undefined) throw new Error(`process ${pid} has no ${field}`);
    return (Number(kibibytes) * 1024) / 1e6;
  };
  return { vmRss: megabytes('VmRSS'), vmHwm: megabytes('VmHWM'), pss: megabytes('Pss') };
}
