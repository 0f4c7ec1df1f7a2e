import { applicationRecords } from './application-records.ts';
import {
  apache,
  apacheError,
  apacheUser,
  encoded,
  header,
  json,
  logfmt,
  nginx,
  phpJson,
  postfix,
  sshUser,
  userId,
  word,
} from './escapes.ts';
import { colonSender, sender, type HostileRecord } from './record.ts';
import { serverRecords } from './server-records.ts';

const at = '[22/Nov/2026:13:44:53 +0000]';
const out = { stream: 'stdout' } as const;
const error = { stream: 'stderr' } as const;

/** An access log, with a status that counts and one that doesn't. */
function access(
  escape: (text: string) => string,
  user: (text: string) => string,
  counts: HostileRecord['counts'],
  lead: string,
  tail: string,
): HostileRecord[] {
  return [
    {
      ...out,
      counts,
      line: (text) => `${lead}${sender} - ${user(text)} ${at} "GET /private HTTP/1.1" 404 179 "-" "-"${tail}`,
    },
    {
      ...out,
      counts,
      line: (text) =>
        `${lead}${sender} - - ${at} "GET /${escape(header(text))} HTTP/1.1" 404 179 "-" "-"${tail}`,
    },
    {
      ...out,
      counts,
      line: (text) => `${lead}${sender} - - ${at} "${escape(text)}" 404 157 "-" "-"${tail}`,
    },
    {
      ...out,
      counts,
      line: (text) =>
        `${lead}${sender} - - ${at} "GET / HTTP/1.1" 404 179 "${escape(header(text))}" "${escape(header(text))}"${tail}`,
    },
    {
      ...out,
      line: (text) =>
        `${lead}${sender} - ${user(text)} ${at} "POST /${escape(header(text))} HTTP/1.1" 200 179 "${escape(header(text))}" "-"${tail}`,
    },
  ];
}

const nginxUser = (text: string): string => nginx(userId(text)) || '-';
const apacheName = (text: string): string => apacheUser(userId(text));

/** NGX_MAX_ERROR_STR in src/core/ngx_log.h. */
const nginxLongest = 2048;
const nginxError = (rest: (text: string) => string, counts?: 'normal'): HostileRecord => ({
  ...error,
  counts,
  longest: nginxLongest,
  line: (text) => `2026/11/22 13:44:53 [error] 29#29: *1 ${rest(text)}`.slice(0, nginxLongest - 1),
});
const nginxRequest = (text: string): string =>
  `client: ${sender}, server: _, request: "GET /${header(text)} HTTP/1.1", host: "${word(text)}", referrer: "${header(text)}"`;
const nginxErrors: HostileRecord[] = [
  nginxError(
    (text) =>
      `open() "/srv/${text}" failed (2: No such file or directory), client: ${sender}, server: _, request: "GET / HTTP/1.1", host: "x"`,
  ),
  nginxError(
    (text) => `"${header(text)}" is not found (2: No such file or directory), ${nginxRequest(text)}`,
  ),
];

const smtpd = 'Nov 22 13:44:53 mail postfix/smtpd[123]:';
const sshEnd = `${sender} port 51234`;

const giteaPlace = '2026/11/22 13:44:53 routers/web/auth/auth.go:201:SignInPost() [I]';
/** SignInForm in services/forms/user_form.go. */
const giteaName = 254;
const gitea: HostileRecord[] = [
  {
    counts: 'normal',
    most: giteaName,
    line: (text) =>
      `${giteaPlace} Failed authentication attempt for ${text} from ${sender}:51234: user does not exist [uid: 0, name: ${text}]`,
  },
  {
    counts: 'normal',
    most: giteaName,
    line: (text) =>
      `${giteaPlace} Failed authentication attempt for ${text} from ${sender}:51234: invalid credentials`,
  },
  {
    line: (text) =>
      `2026/11/22 13:44:53 ...eb/routing/logger.go:102:func1() [I] router: completed GET /${encoded(text)} for ${sender}:51234, 404 Not Found in 1.2ms @ web/goget.go:21(web.goGet)`,
  },
];

const nextcloud = (escape: (text: string) => string, message: string): ((text: string) => string) => {
  return (text) =>
    `{"reqId":"x","level":2,"time":"2026-11-22T13:44:53+00:00","remoteAddr":"${sender}","user":"--","app":"core","method":"${escape(word(text))}","url":"/${escape(header(text))}","message":"${message}${escape(text)} (Remote IP: ${sender})","userAgent":"${escape(header(text))}","version":"29.0.4.1"}`;
};
/** MAX_STRING_LEN in httpd.h: a message of Apache's error log. */
const apacheLongest = 8192;
const apacheMessage = (message: string): string =>
  `[Sun Nov 22 13:44:53.123456 2026] [php:notice] [pid 30] [client ${sender}:51234] ${message.slice(0, apacheLongest - 1)}`;

const haBegin =
  '2026-11-22 13:44:53.123 WARNING (MainThread) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from';

/** For each filter, where a client's text gets into the log, written as the program writes it. */
export const hostileRecords: Readonly<Record<string, readonly HostileRecord[]>> = {
  'nginx-proxy': [
    ...access(nginx, nginxUser, 'normal', 'www.example.org ', ' "172.18.0.5:80"'),
    {
      ...out,
      counts: 'normal',
      line: (text) => `${nginx(word(text))} ${sender} - - ${at} "GET / HTTP/1.1" 404 153 "-" "-" "-"`,
    },
    {
      ...out,
      line: (text) =>
        `www.example.org ${colonSender} - ${nginxUser(text)} ${at} "GET / HTTP/1.1" 404 153 "-" "-" "-"`,
    },
    ...nginxErrors,
  ],
  'nginx-errors': [...access(nginx, nginxUser, 'normal', '', ''), ...nginxErrors],
  'nginx-botsearch': [
    ...access(nginx, nginxUser, undefined, '', ''),
    ...['GET /.env', 'GET /%2e%65nv/', 'POST //wp-login.php', 'GET http://x/./.git/'].map(
      (begin): HostileRecord => ({
        ...out,
        counts: 'normal',
        line: (text) =>
          `${sender} - ${nginxUser(text)} ${at} "${begin}?${nginx(header(text))} HTTP/1.1" 404 153 "${nginx(header(text))}" "-" "-"`,
      }),
    ),
    ...nginxErrors,
  ],
  'nginx-http-auth': [
    nginxError((text) => `user "${userId(text)}": password mismatch, ${nginxRequest('')}`, 'normal'),
    nginxError(
      (text) => `user "${userId(text)}" was not found in "/etc/nginx/htpasswd", ${nginxRequest('')}`,
      'normal',
    ),
    nginxError((text) => `user "x": password mismatch, ${nginxRequest(text)}`, 'normal'),
    nginxError((text) => `limiting requests, excess: 1.000 by zone "login", ${nginxRequest(text)}`),
    ...nginxErrors,
  ],
  'nginx-limit-req': [
    nginxError((text) => `limiting requests, excess: 1.000 by zone "login", ${nginxRequest(text)}`, 'normal'),
    nginxError((text) => `user "${userId(text)}": password mismatch, ${nginxRequest(text)}`),
    ...nginxErrors,
  ],
  'apache-errors': access(apache, apacheName, 'normal', '', ''),
  wordpress: [
    ...access(apache, apacheName, undefined, '', ''),
    ...access(nginx, nginxUser, undefined, '', ''),
    ...nginxErrors,
    ...[
      '/wp-login.php',
      '//x/wp-login.php/y',
      '/wp-login%2ephp',
      '/%77p-login.php',
      'http://x/./wp-login.php',
    ].flatMap((path) =>
      [apache, nginx].map((escape): HostileRecord => {
        const user = escape === apache ? apacheName : nginxUser;
        return {
          ...out,
          counts: 'normal',
          line: (text) =>
            `${sender} - ${user(text)} ${at} "POST ${path}?${escape(header(text))} HTTP/1.1" 200 2793 "${escape(header(text))}" "-"`,
        };
      }),
    ),
  ],
  'apache-auth': [
    {
      ...error,
      counts: 'normal',
      line: (text) =>
        `[Sun Nov 22 13:44:53.123456 2026] [auth_basic:error] [pid 8:tid 140] [client ${sender}:51234] AH01618: user ${apacheError(userId(text))} not found: /, referer: ${apacheError(header(text))}`,
    },
    {
      ...error,
      line: (text) =>
        `[Sun Nov 22 13:44:53.123456 2026] [core:error] [pid 8:tid 140] [client ${sender}:51234] AH00126: Invalid URI in request ${apacheError(header(text))}`,
    },
  ],
  traefik: [
    {
      ...out,
      counts: 'normal',
      line: (text) =>
        `${sender} - ${userId(text) || 'x'}y ${at} "GET / HTTP/1.1" 401 17 "-" "-" 72 "dashboard@docker" "-" 0ms`,
    },
    {
      ...out,
      counts: 'aggressive',
      line: (text) => `${sender} - - ${at} "GET /${word(text)} HTTP/1.1" 401 17 "-" "-" 72 "-" "-" 0ms`,
    },
    {
      ...out,
      counts: 'aggressive',
      line: (text) =>
        `${sender} - - ${at} "GET / HTTP/1.1" 401 17 "${header(text)}" "${header(text)}" 72 "-" "-" 0ms`,
    },
    {
      ...out,
      line: (text) =>
        `${sender} - ${userId(text)} ${at} "GET /${word(text)} HTTP/1.1" 200 17 "${header(text)}" "${header(text)}" 72 "-" "-" 0ms`,
    },
    ...[401, 200].flatMap((status) =>
      (['user', 'rest'] as const).map((field): HostileRecord => {
        const user = (text: string): string => (field === 'user' ? json(userId(text)) : '');
        const rest = (text: string): string => (field === 'rest' ? json(header(text)) : '');
        return {
          ...out,
          ...(status === 401 && { counts: 'normal' }),
          line: (text) =>
            `{"ClientAddr":"${sender}:51234","ClientHost":"${sender}","ClientPort":"51234","ClientUsername":"${user(text)}x","DownstreamContentSize":17,"DownstreamStatus":${status},"RequestPath":"/${rest(text)}","level":"info","msg":"","request_User-Agent":"${rest(text)}","time":"2026-11-22T13:44:53Z"}`,
        };
      }),
    ),
  ],
  caddy: ([401, 200] as const).map((status): HostileRecord => ({
    ...(status === 401 && { counts: 'normal' }),
    line: (text) =>
      `{"level":"info","ts":1795355093.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"${sender}","remote_port":"1","client_ip":"${sender}","proto":"HTTP/1.1","method":"${json(word(text))}","host":"${json(word(text))}","uri":"/${json(header(text))}","headers":{"X":["${json(header(text))}"],"Authorization":["REDACTED"]}},"bytes_read":0,"user_id":"${json(userId(text))}","duration":0.0009,"size":0,"status":${status},"resp_headers":{}}`,
  })),
  sshd: [
    { counts: 'normal', line: (text) => `Invalid user ${sshUser(text)} from ${sshEnd}` },
    {
      counts: 'normal',
      line: () => `Failed password for root from ${sshEnd} ssh2`,
    },
    { line: (text) => `Failed password for invalid user ${sshUser(text)} from ${sshEnd} ssh2` },
    { line: (text) => `Failed none for ${sshUser(text)} from ${sshEnd} ssh2` },
    {
      line: (text) =>
        `error: maximum authentication attempts exceeded for invalid user ${sshUser(text)} from ${sshEnd} ssh2 [preauth]`,
    },
    { line: (text) => `Connection closed by invalid user ${sshUser(text)} ${sshEnd} [preauth]` },
    { line: (text) => `Connection closed by authenticating user ${sshUser(text)} ${sshEnd} [preauth]` },
    { counts: 'aggressive', line: (text) => `banner exchange: Connection from ${sshEnd}: ${sshUser(text)}` },
    { line: (text) => `Bad protocol version identification '${sshUser(text)}' from ${sshEnd}` },
    {
      line: (text) =>
        `kex_exchange_identification: client sent invalid protocol identifier "${sshUser(header(text))}"`,
    },
    { line: (text) => `Received disconnect from ${sshEnd}:11: ${sshUser(text)} [preauth]` },
    { line: (text) => `User ${sshUser(text)} from ${sender} not allowed because not listed in AllowUsers` },
  ],
  vaultwarden: [
    {
      counts: 'normal',
      line: (text) =>
        `[2026-11-22 13:44:53.123][vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: ${sender}. Username: ${text}.`,
    },
    { line: (text) => `[2026-11-22 13:44:53.123][request][INFO] GET /${encoded(text)}` },
    {
      line: (text) =>
        `[2026-11-22 13:44:53.123][vaultwarden::api::identity][ERROR] Invalid scope ${header(text)}`,
    },
  ],
  nextcloud: [
    { counts: 'normal', line: nextcloud(phpJson, 'Login failed: ') },
    { line: nextcloud(phpJson, '') },
    {
      ...error,
      counts: 'normal',
      longest: apacheMessage('x'.repeat(apacheLongest)).length,
      line: (text) =>
        apacheMessage(`[nextcloud][core][2] ${apacheError(nextcloud(phpJson, 'Login failed: ')(text))}`),
    },
    {
      ...error,
      line: (text) =>
        apacheMessage(`script '/var/www/html/${apacheError(header(text))}' not found or unable to stat`),
    },
    {
      ...error,
      line: (text) =>
        apacheMessage(`AH00036: access to ${apacheError(header(text))} failed (filesystem path '/')`),
    },
  ],
  gitea,
  forgejo: gitea,
  authelia: [
    {
      counts: 'normal',
      line: (text) =>
        `time="2026-11-22T13:44:53Z" level=error msg="Unsuccessful 1FA authentication attempt by user '${json(text)}'" error="${json(text)}" method=POST path=${logfmt(header(text))} remote_ip=${sender}`,
    },
    {
      line: (text) =>
        `time="2026-11-22T13:44:53Z" level=error msg="${json(text)}" error=${logfmt(text)} method=${logfmt(word(text))} path=/ remote_ip=${sender}`,
    },
    {
      counts: 'normal',
      line: (text) =>
        `{"error":"${json(text)}","level":"error","method":"POST","msg":"Unsuccessful 1FA authentication attempt by user '${json(text)}'","path":"/${json(text)}","remote_ip":"${sender}","time":"2026-11-22T13:44:53Z"}`,
    },
  ],
  jellyfin: [
    {
      counts: 'normal',
      line: (text) =>
        `[13:44:53] [INF] [12] Jellyfin.Server.Implementations.Users.UserManager: Authentication request for ${text} has been denied (IP: ${sender}).`,
    },
    {
      line: (text) =>
        `[13:44:53] [ERR] [12] Jellyfin.Server.Middleware.ExceptionMiddleware: Error processing request. URL GET /${encoded(text)}`,
    },
    {
      line: (text) =>
        `[13:44:53] [INF] [12] Emby.Server.Implementations.Session.SessionManager: Playback by ${header(text)}`,
    },
  ],
  grafana: ['/login', undefined].map((path): HostileRecord => ({
    ...(path !== undefined && { counts: 'normal' }),
    line: (text) =>
      `logger=context userId=0 orgId=0 uname=${path === undefined ? '' : logfmt(text)} t=2026-11-22T13:44:53.2Z level=info msg="Request Completed" method=POST path=${path ?? logfmt(`/${text}`)} status=401 remote_addr=${sender} time_ms=10 duration=10.9ms size=94 referer=${logfmt(text)} handler=/login error=${logfmt(text)}`,
  })),
  'home-assistant': [
    {
      counts: 'normal',
      line: (text) =>
        `${haBegin} x.example.org (${sender}). Requested URL: '/${encoded(text)}'. (${header(text)})`,
    },
    // The C library of the image, musl, takes any text of a PTR record for a host's name.
    {
      most: 253,
      forgeable: true,
      line: (text) => `${haBegin} ${text} (${sender}). Requested URL: '/auth/login_flow'. (None)`,
    },
    {
      line: (text) =>
        `2026-11-22 13:44:53.123 ERROR (MainThread) [aiohttp.server] Error handling request from ${header(text)}`,
    },
  ],
  postfix: [
    {
      counts: 'normal',
      line: (text) =>
        `${smtpd} warning: unknown[${sender}]: SASL LOGIN authentication failed: x, sasl_username=${postfix(text)}`,
    },
    {
      counts: 'normal',
      line: (text) =>
        `${smtpd} NOQUEUE: reject: RCPT from unknown[${sender}]: 554 5.7.1 <${postfix(text)}>: Relay access denied; from=<${postfix(text)}> to=<${postfix(text)}> proto=ESMTP helo=<${postfix(text)}>`,
    },
    {
      counts: 'aggressive',
      line: (text) =>
        `${smtpd} improper command pipelining after EHLO from unknown[${sender}]: ${postfix(text)}`,
    },
    { line: (text) => `${smtpd} warning: non-SMTP command from unknown[${sender}]: ${postfix(text)}` },
    {
      line: (text) =>
        `Nov 22 13:44:53 mail postfix/cleanup[124]: 4XyZab12cd: warning: header Subject: ${postfix(text)} from unknown[${sender}]; from=<x> to=<y> proto=ESMTP helo=<z>`,
    },
  ],
  ...applicationRecords,
  ...serverRecords,
  recidive: [
    {
      counts: 'normal',
      // The only text of a client there is a name, where one is looked up.
      line: () => `2026-11-22 13:44:53,123 fail2ban.actions        [81]: NOTICE  [sshd] Ban ${sender}`,
    },
    {
      line: (text) =>
        `2026-11-22 13:44:53,123 fail2ban.ipdns          [81]: WARNING Determined IP using DNS Lookup: ${word(text)} = {'${sender}'}`,
    },
    {
      line: (text) =>
        `2026-11-22 13:44:53,123 fail2ban.ipdns: WARNING Unable to find a corresponding IP address for ${word(text)}: x`,
    },
  ],
  dovecot: [
    {
      counts: 'normal',
      line: (text) =>
        `Nov 22 13:44:53 imap-login: Info: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<${postfix(text)}>, method=PLAIN, rip=${sender}, lip=172.18.0.4, TLS`,
    },
    {
      counts: 'normal',
      line: (text) =>
        `Nov 22 13:44:53 imap-login: Info: Login aborted: Connection closed (auth failed, 1 attempts in 2 secs) (auth_failed): user=<${postfix(text)}>, rip=${sender}, lip=172.18.0.4, session=<Yk3n2pPQxKzAqAEB>`,
    },
    { line: (text) => `Nov 22 13:44:53 auth: Info: passwd-file(${postfix(text)},${sender}): unknown user` },
    { line: (text) => `Nov 22 13:44:53 lmtp(x)<1><y>: Info: msgid=<${postfix(text)}>: saved mail to INBOX` },
    { line: (text) => `Nov 22 13:44:53 mail dovecot: imap(x)<1><y>: Error: ${postfix(text)}` },
  ],
};
