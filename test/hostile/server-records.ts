import { apacheError, encoded, header, nginx, userId, word } from './escapes.ts';
import { sender, type HostileRecord } from './record.ts';

const mariadb = '2026-11-22 13:44:53 12 [Warning]';
/** USERNAME_CHAR_LENGTH in mysql_com.h. */
const mysqlName = 128;

const postgres = '2026-11-22 13:44:53.123 UTC [12]';
/** As elog.c writes line feeds (append_with_tabs). */
const tabbed = (text: string): string => text.replaceAll('\n', '\n\t');

const proftpd = (message: string): string =>
  `2026-11-22 13:44:53,123 host proftpd[12] ftp.example.org (${sender}[${sender}]): ${message}`;
/** LOGBUFFER_SIZE in src/log.c. */
const proftpdLongest = 16_384;

const vsftpd = 'Sun Nov 22 13:44:53 2026 [pid 12]';
/** VSFTP_MAX_COMMAND_LINE in defs.h. */
const vsftpdCommand = 4096;

const exim = '2026-11-22 13:44:53';
/** SMTP_CMD_BUFFER_SIZE in src/smtp_in.c. */
const smtpCommand = 16_384;
/** string_printing in Exim, buffer_append_string_c_escaped in lighttpd. */
const printable = (text: string): string =>
  text.replaceAll(/[\x00-\x1f\x7f\\]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);

const roundcubeEnd =
  'Authentication failed. in /var/www/html/program/lib/Roundcube/rcube_imap.php on line 210 (POST /?_task=login)';

/** HAProxy writes other than printable characters, quotes and # as #XX. */
const haproxy = (text: string): string =>
  text.replaceAll(
    /["#{|}\x00-\x1f\x7f]/g,
    (char) => `#${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
const haproxyBegin = `${sender}:51234 [22/Nov/2026:13:44:53.123] web app/app1 0/0/1/2/3`;

const ejabberd = '2026-11-22 13:44:53.123456+00:00';

/** Python's repr. */
const repr = (text: string): string => {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inside = text
    .replaceAll('\\', '\\\\')
    .replaceAll(quote, `\\${quote}`)
    .replaceAll(/[\x00-\x1f\x7f]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return quote + inside + quote;
};
const radicale = '[2026-11-22 13:44:53 +0000] [7/Thread-2]';

const guacamole = '13:44:53.123 [http-nio-8080-exec-1] WARN  o.a.g.event.EventLoggingListener -';

const openvpn = `2026-11-22 13:44:53 ${sender}:51234`;

const synapse = `2026-11-22 13:44:53,123 - synapse.access.http.8008 - 515 - INFO - POST-12 - ${sender} - 8008 - {None} Processed request: 0.1sec/0.0sec ru=(0.0sec, 0.0sec) db=(0.0sec/0.0sec/3) 73B`;

const npm = '[22/Nov/2026:13:44:53 +0000]';
const npmClient = `[Client ${sender}] [Length 153] [Gzip -]`;

const squid = `1795355093.123     12 ${sender}`;

/** Servers of mail, files, databases and the like. */
export const serverRecords: Readonly<Record<string, readonly HostileRecord[]>> = {
  mysql: [
    {
      counts: 'normal',
      most: mysqlName,
      line: (text) => `${mariadb} Access denied for user '${text}'@'${sender}' (using password: YES)`,
    },
    {
      counts: 'normal',
      most: mysqlName,
      line: (text) =>
        `2026-11-22T13:44:53.123456Z 12 [Note] [MY-010926] [Server] Access denied for user '${text}'@'${sender}' (using password: NO)`,
    },
    {
      most: 192,
      line: (text) =>
        `${mariadb} Aborted connection 12 to db: '${text}' user: 'x' host: '${sender}' (Got an error reading communication packets)`,
    },
  ],
  postgresql: [
    {
      counts: 'normal',
      line: (text) =>
        `${postgres} ${sender} FATAL:  password authentication failed for user "${tabbed(text)}"`,
    },
    {
      counts: 'normal',
      line: (text) =>
        `${postgres} FATAL:  no pg_hba.conf entry for host "${sender}", user "${tabbed(text)}", database "${tabbed(text)}", no encryption`,
    },
    { line: (text) => `${postgres} ${sender} DETAIL:  Role "${tabbed(text)}" does not exist.` },
    { line: (text) => `${postgres} FATAL:  database "${tabbed(text)}" does not exist` },
    { line: (text) => `${postgres} ${sender} STATEMENT:  ${tabbed(text)}` },
    {
      line: (text) =>
        `${postgres} ${sender} LOG:  connection authorized: user=x database=y application_name=${header(text)}`,
    },
  ],
  proftpd: [
    {
      counts: 'normal',
      longest: proftpdLongest,
      line: (text) => proftpd(`USER ${text} (Login failed): Incorrect password`).slice(0, proftpdLongest - 1),
    },
    {
      counts: 'normal',
      longest: proftpdLongest,
      line: (text) =>
        proftpd(`USER ${header(text)}: no such user found from ${sender} [${sender}] to 172.18.0.3:21`).slice(
          0,
          proftpdLongest - 1,
        ),
    },
    { line: (text) => proftpd(`USER ${header(text)}: Login successful.`) },
  ],
  vsftpd: [
    // A name that looks like another action, such as no account has, doesn't count.
    {
      most: vsftpdCommand,
      line: (text) => `${vsftpd} [${header(text)}] FAIL LOGIN: Client "${sender}"`,
    },
    { counts: 'normal', line: () => `${vsftpd} [root] FAIL LOGIN: Client "${sender}"` },
    {
      most: vsftpdCommand,
      line: (text) => `${vsftpd} [ftp] FAIL LOGIN: Client "${sender}", anon password "${header(text)}"`,
    },
    {
      most: vsftpdCommand,
      line: (text) => `${vsftpd} [${header(text)}] FTP command: Client "${sender}", "PASS <password>"`,
    },
    {
      most: vsftpdCommand,
      line: (text) => `${vsftpd} FTP command: Client "${sender}", "USER ${header(text)}"`,
    },
    { most: vsftpdCommand, line: (text) => `${vsftpd} [x] OK MKDIR: Client "${sender}", "/${header(text)}"` },
  ],
  'pure-ftpd': [
    {
      counts: 'normal',
      line: (text) => `(?@${sender}) [WARNING] Authentication failed for user [${header(text)}]`,
    },
    { line: (text) => `(?@${sender}) [DEBUG] Command [user] [${header(text)}]` },
    { line: (text) => `(x@${sender}) [NOTICE] /srv/${header(text)} uploaded  (5 bytes, 1.00KB/sec)` },
  ],
  exim: [
    {
      counts: 'normal',
      line: (text) =>
        `${exim} login authenticator failed for H=(x) [${sender}]: 535 Incorrect authentication data (set_id=${printable(text)})`,
    },
    {
      counts: 'normal',
      line: (text) =>
        `${exim} H=(${word(text).replaceAll(/[^\w.-]/g, '')}) [${sender}] F=<"${printable(text)}"@example.org> rejected RCPT <"${printable(text)}"@example.net>: relay not permitted`,
    },
    {
      counts: 'aggressive',
      most: smtpCommand,
      line: (text) =>
        `${exim} SMTP protocol error in "AUTH ${printable(header(text))}" H=(x) [${sender}] AUTH command used when not advertised`,
    },
    {
      line: (text) =>
        `${exim} login authenticator failed for H=(x) [${sender}]: 435 Unable to authenticate at present (set_id=${printable(text)}): x`,
    },
    {
      line: (text) =>
        `${exim} SMTP syntax error in "${printable(header(text))}" H=(x) [${sender}] unrecognized command`,
    },
    {
      line: (text) =>
        `${exim} 1wQ4Zx-000000000aB-1cDe <= x@example.org H=(x) [${sender}] T="${printable(text)}"`,
    },
  ],
  roundcube: [
    {
      counts: 'normal',
      line: (text) =>
        `errors: <k3n2pq8s> IMAP Error: Login failed for ${text} against localhost from ${sender}. ${roundcubeEnd}`,
    },
    {
      counts: 'normal',
      most: 256,
      line: (text) =>
        `userlogins: <k3n2pq8s> Failed login for ${text} from ${sender} in session x (error: 0)`,
    },
    // Where headers of a client stand behind its address, what looks like a record in either place makes the line uncountable.
    {
      line: (text) =>
        `errors: <k3n2pq8s> IMAP Error: Login failed for ${text} against localhost from ${sender} (X-Forwarded-For: ${header(text)}). ${roundcubeEnd}`,
    },
    {
      line: (text) =>
        `errors: <k3n2pq8s> IMAP Error: Login failed for x against localhost from ${sender} (X-Real-IP: ${header(text)}). ${roundcubeEnd}`,
    },
    {
      most: 256,
      line: (text) =>
        `userlogins: <k3n2pq8s> Failed login for ${text} from ${sender} (X-Forwarded-For: ${header(text)}) in session x (error: 0)`,
    },
    {
      line: (text) =>
        `errors: <k3n2pq8s> PHP Error: ${text} in /var/www/html/x.php on line 1 (GET /?${word(text)})`,
    },
  ],
  phpmyadmin: [
    { counts: 'normal', line: (text) => `user denied: ${text} (mysql-denied) from ${sender}` },
    {
      counts: 'normal',
      longest: 8192,
      line: (text) =>
        `[Sun Nov 22 13:44:53.123456 2026] [php:notice] [pid 30] [client ${sender}:51234] user denied: ${apacheError(text)} (mysql-denied) from ${sender}, referer: ${apacheError(header(text))}`.slice(
          0,
          8191,
        ),
    },
    { line: (text) => `user denied: ${text} (no-activity) from ${sender}` },
  ],
  lighttpd: [
    {
      counts: 'normal',
      line: (text) =>
        `2026-11-22 13:44:53: (mod_auth.c.869) password doesn't match for /${printable(header(text))} username: ${printable(userId(text))} IP: ${sender}`,
    },
    {
      counts: 'normal',
      line: (text) =>
        `2026-11-22 13:44:53: (mod_auth.c.1564) digest: auth failed for ${printable(header(text))}: wrong password, IP: ${sender}`,
    },
    {
      line: (text) =>
        `2026-11-22 13:44:53: (mod_auth.c.1435) digest: auth failed: uri mismatch (/${printable(header(text))} != ${printable(header(text))}), IP: ${sender}`,
    },
  ],
  haproxy: [
    {
      counts: 'normal',
      line: (text) =>
        `${haproxyBegin} 403 188 - - PR-- 1/1/0/0/0 0/0 {${haproxy(header(text))}} "GET /${haproxy(word(text))} HTTP/1.1"`,
    },
    {
      line: (text) =>
        `${haproxyBegin} 200 188 - - ---- 1/1/0/0/0 0/0 {${haproxy(header(text))}} "GET /${haproxy(word(text))} HTTP/1.1"`,
    },
  ],
  // The names of accounts are all that isn't Dropbear's own.
  dropbear: [
    {
      counts: 'normal',
      most: 100,
      line: (text) => `[12] Nov 22 13:44:53 Bad password attempt for '${header(text)}' from ${sender}:51234`,
    },
    {
      counts: 'normal',
      line: () => `[12] Nov 22 13:44:53 Login attempt for nonexistent user from ${sender}:51234`,
    },
  ],
  mosquitto: [
    {
      counts: 'normal',
      most: 65_535,
      line: (text) => `1795355093: Client ${header(text)} [${sender}:51234] disconnected: not authorised.`,
    },
    {
      line: (text) =>
        `1795355093: Client ${header(text)} [${sender}:51234] disconnected: connection closed by client.`,
    },
    {
      line: (text) =>
        `1795355093: New client connected from ${sender}:51234 as ${header(text)} (p2, c1, k60, u'${header(text)}').`,
    },
  ],
  ejabberd: [
    {
      counts: 'normal',
      line: (text) =>
        `${ejabberd} [warning] <0.512.0>@ejabberd_c2s:process_auth_result/3:312 (tls|<0.512.0>) Failed c2s PLAIN authentication for ${text}@example.org from ${sender}: Invalid username or password`,
    },
    {
      line: (text) =>
        `${ejabberd} [info] <0.512.0>@ejabberd_c2s:process_auth_result/3:304 (tls|<0.512.0>) Accepted c2s PLAIN authentication for ${text}@example.org by mnesia backend from ${sender}`,
    },
  ],
  radicale: [
    {
      counts: 'normal',
      line: (text) =>
        `${radicale} [WARNING] Failed login attempt from ${sender}: ${repr(`x${userId(text)}`)} (htpasswd)`,
    },
    {
      counts: 'normal',
      line: (text) =>
        `${radicale} [WARNING] Failed login attempt from 172.18.0.2 (forwarded for ${repr(`${header(text)}, ${sender}`)}): ${repr(`x${userId(text)}`)} (htpasswd)`,
    },
    {
      line: (text) =>
        `${radicale} [INFO] GET request for ${repr(`/${header(text)}`)} received from ${sender} using ${repr(header(text))}`,
    },
  ],
  guacamole: [
    {
      counts: 'normal',
      line: (text) =>
        `${guacamole} Authentication attempt from ${sender} for user "${text}" failed: Permission denied.`,
    },
    {
      counts: 'normal',
      line: (text) =>
        `${guacamole} Authentication attempt from [198.51.100.66, ${sender}, 172.18.0.2] for user "${text}" failed: Permission denied. (rejected by "mysql")`,
    },
    {
      line: (text) =>
        `13:44:53.123 [http-nio-8080-exec-1] INFO  o.a.g.event.EventLoggingListener - User "${text}" successfully authenticated from ${sender}`,
    },
  ],
  openvpn: [
    {
      counts: 'normal',
      line: () => `${openvpn} TLS Auth Error: Auth Username/Password verification failed for peer`,
    },
    { line: (text) => `${openvpn} peer info: IV_GUI_VER=${header(text)}` },
    {
      line: (text) =>
        `${openvpn} TLS: Username/Password authentication failed for username '${header(text)}' `,
    },
    // The name of a client's certificate.
    {
      most: 64,
      line: (text) =>
        `2026-11-22 13:44:53 ${header(text)}/${sender}:51234 TLS Auth Error: Auth Username/Password verification failed for peer`,
    },
  ],
  'matrix-synapse': [
    {
      counts: 'normal',
      line: (text) =>
        `${synapse} 403 "POST /_matrix/client/v3/login?${word(text)} HTTP/1.1" "${header(text)}" [0 dbevts]`,
    },
    {
      line: (text) => `${synapse} 403 "POST /${word(text)} HTTP/1.1" "${header(text)}" [0 dbevts]`,
    },
  ],
  'nginx-proxy-manager': [
    {
      counts: 'normal',
      line: (text) =>
        `${npm} - 404 404 - GET https ${nginx(word(text)) || '-'} "/${nginx(header(text))}" ${npmClient} [Sent-to 172.18.0.5] "${nginx(header(text))}" "${nginx(header(text))}"`,
    },
    {
      line: (text) =>
        `${npm} - 200 200 - GET https ${nginx(word(text)) || '-'} "/${nginx(header(text))}" ${npmClient} [Sent-to 172.18.0.5] "${nginx(header(text))}" "-"`,
    },
  ],
  squid: [
    {
      counts: 'normal',
      line: (text) =>
        `${squid} TCP_DENIED/407 4056 GET http://example.org/${encoded(header(text))} x${encoded(userId(text))} HIER_NONE/- text/html`,
    },
    {
      line: (text) =>
        `${squid} TCP_DENIED/407 4056 GET http://example.org/${encoded(header(text))} - HIER_NONE/- text/html`,
    },
  ],
};
