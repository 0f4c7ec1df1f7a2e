import { header } from './escapes.ts';
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
};
