/** How the host's syslog file looks. */
export interface SyslogOptions {
  /** RFC 3164's `Nov 22 13:44:53 host tag[pid]:` (default), or ISO 8601 times as rsyslog writes them by default since Ubuntu 24.04. */
  readonly format?: 'traditional' | 'iso';
  /** rsyslog's `$RepeatedMsgReduction`, which Ubuntu turns on: repeated lines become one `message repeated N times`. */
  readonly repeatedMsgReduction?: boolean;
  /** User and group (numeric), and mode of the file; default as on Ubuntu: user syslog, group adm (4), 0640. */
  readonly owner?: { readonly uid: number; readonly gid: number; readonly mode: string };
}

const ubuntuOwner = { uid: 104, gid: 4, mode: '0640' };

/** The configuration of an rsyslogd that reads /dev/log and writes /var/log/syslog. */
export function rsyslogConfiguration(options: SyslogOptions = {}): string {
  const { format = 'traditional', repeatedMsgReduction = false, owner = ubuntuOwner } = options;
  const template = format === 'iso' ? 'RSYSLOG_FileFormat' : 'RSYSLOG_TraditionalFileFormat';
  return [
    'global(workDirectory="/run" net.enableDNS="off")',
    'module(load="imuxsock")',
    `$RepeatedMsgReduction ${repeatedMsgReduction ? 'on' : 'off'}`,
    'action(type="omfile" file="/var/log/syslog"',
    `  template="${template}"`,
    `  fileOwnerNum="${owner.uid}" fileGroupNum="${owner.gid}" fileCreateMode="${owner.mode}")`,
    '',
  ].join('\n');
}
