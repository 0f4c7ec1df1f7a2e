import { defaultLogRoots, labelPolicy } from '../../config/labels/label-policy.ts';
import { launch } from '../../daemon/launch.ts';
import { firewallChoices, logFormats, logLevels, onStopChoices } from '../../daemon/options.ts';
import { defineCommand } from '../command.ts';
import { version } from '../version.ts';
import * as common from './options.ts';

export const command = defineCommand(
  'run',
  'Run the controller: watch Docker, read logs, ban',
  (parser) =>
    parser
      // Only here: a variable that other commands don't know would be wrong usage there.
      .env('DOCK2BAN')
      .options({
        'docker-host': common.dockerHost,
        'config-dir': common.configDir,
        socket: common.socket,
        'watch-config': {
          type: 'boolean',
          default: false,
          describe: 'Apply configuration changes at once, without `dock2ban reload`',
        },
        'state-dir': common.stateDir,
        'syslog-file': common.syslogFile,
        'syslog-listen': common.syslogListen,
        'syslog-allow': {
          type: 'string',
          default: '',
          describe: 'Senders that may use listeners beyond this host: 192.0.2.0/24,…',
        },
        'syslog-tls-cert': { type: 'string', describe: 'Certificate for tls:// (PEM)' },
        'syslog-tls-key': { type: 'string', describe: 'Its key (PEM)' },
        'syslog-tls-client-ca': {
          type: 'string',
          describe: 'Accept only senders with a certificate of this authority (PEM)',
        },
        ignoreip: {
          type: 'string',
          default: '',
          describe: 'Addresses and networks that no jail bans: 192.0.2.7,2001:db8::/32',
        },
        'trust-image-labels': {
          type: 'boolean',
          default: false,
          describe: "Let an image's own labels decide as its containers' do",
        },
        'log-roots': {
          type: 'string',
          default: defaultLogRoots,
          describe: 'Folders below which labels may name log files: /var/log,/srv/logs',
        },
        firewall: {
          choices: firewallChoices,
          default: 'auto',
          describe: 'How bans are enforced; none: only report',
        },
        'log-level': { choices: logLevels, default: 'info', describe: 'Minimum log level' },
        'log-format': {
          choices: logFormats,
          default: 'text',
          describe: 'Form of the log on stdout: lines for people, JSON for programs, or as fail2ban.log',
        },
        'on-stop': {
          choices: onStopChoices,
          default: 'keep',
          describe: 'On exit: keep bans or remove all rules',
        },
      } as const),
  (argv) => {
    const { dockerHost, configDir, watchConfig, stateDir, socket, syslogFile, ignoreip } = argv;
    const { firewall, logLevel, logFormat, onStop } = argv;
    const receiver = {
      listen: argv.syslogListen,
      allow: argv.syslogAllow,
      tlsCert: argv.syslogTlsCert,
      tlsKey: argv.syslogTlsKey,
      tlsClientCa: argv.syslogTlsClientCa,
    };
    const where = { dockerHost, configDir, watchConfig, stateDir, socket, syslogFile };
    const how = { ignoreip, labels: labelPolicy(argv), firewall, logLevel, logFormat, onStop };
    launch({ ...where, receiver, ...how }, version);
    return 0;
  },
);
