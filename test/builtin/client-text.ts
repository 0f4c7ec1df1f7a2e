/** A line of an application in which a client at 192.0.2.66 chose a text. */
type Line = (text: string) => string;

/** In HTTP's basic authentication a user name ends at the first colon (RFC 7617). */
const userId = (text: string): string => text.replace(/:.*/s, '');
const json = (text: string): string => JSON.stringify(text).slice(1, -1);
/** As Go's logfmt writers do. */
const logfmt = (text: string): string => (/^[\w./@:-]*$/.test(text) ? text : JSON.stringify(text));
const nginx = (text: string): string => text.replace(/["\\]/g, (char) => (char === '"' ? '\\x22' : '\\x5C'));
const apache = (text: string): string => text.replace(/["\\]/g, '\\$&');

const access = (escape: (text: string) => string): Line[] => [
  (text) =>
    `192.0.2.66 - ${escape(text)} [22/Nov/2026:13:44:53 +0000] "GET /private HTTP/1.1" 401 179 "-" "-"`,
  (text) => `192.0.2.66 - - [22/Nov/2026:13:44:53 +0000] "POST /${escape(text)} HTTP/1.1" 200 179 "-" "-"`,
  (text) => `192.0.2.66 - - [22/Nov/2026:13:44:53 +0000] "${escape(text)}" 400 157 "-" "-"`,
  (text) =>
    `192.0.2.66 - - [22/Nov/2026:13:44:53 +0000] "GET / HTTP/1.1" 404 179 "${escape(text)}" "${escape(text)}"`,
];
const nginxError: Line[] = [
  (text) =>
    `2026/11/22 13:44:53 [error] 29#29: *1 user "${userId(text)}": password mismatch, client: 192.0.2.66, server: _, request: "GET / HTTP/1.1", host: "x"`,
  (text) =>
    `2026/11/22 13:44:53 [error] 29#29: *1 user "${userId(text)}" was not found in "/etc/nginx/htpasswd", client: 192.0.2.66, server: _, request: "GET / HTTP/1.1", host: "x"`,
  (text) =>
    `2026/11/22 13:44:53 [error] 29#29: *1 user "x": password mismatch, client: 192.0.2.66, server: _, request: "GET /${text} HTTP/1.1", host: "${text}", referrer: "${text}"`,
  (text) =>
    `2026/11/22 13:44:53 [error] 29#29: *1 limiting requests, excess: 1.000 by zone "login", client: 192.0.2.66, server: _, request: "GET /${text} HTTP/1.1", host: "${text}", referrer: "${text}"`,
  (text) =>
    `2026/11/22 13:44:53 [error] 29#29: *1 open() "/srv/${text}" failed (2: No such file or directory), client: 192.0.2.66, server: _, request: "GET /${text} HTTP/1.1", host: "x"`,
];
const smtpd = 'Nov 22 13:44:53 mail postfix/smtpd[123]:';
const sshEnd = '192.0.2.66 port 51234';

const gitea: Line[] = [
  (text) =>
    `2026/11/22 13:44:53 routers/web/auth/auth.go:201:SignInPost() [I] Failed authentication attempt for ${text} from 192.0.2.66:51234: user does not exist [uid: 0, name: ${text}]`,
  (text) =>
    `2026/11/22 13:44:53 routers/web/auth/auth.go:201:SignInPost() [I] Failed authentication attempt for ${text} from 192.0.2.66:51234: invalid credentials`,
  (text) =>
    `2026/11/22 13:44:53 ...eb/routing/logger.go:102:func1() [I] router: completed GET /${text} for 192.0.2.66:51234, 404 Not Found in 1.2ms @ web/goget.go:21(web.goGet)`,
  (text) => `\t${text}`,
];

/** For each filter, where a client's text gets into the log, written as the application writes it. Line breaks aside. */
export const clientText: Readonly<Record<string, readonly Line[]>> = {
  'nginx-proxy': [
    // A client's address may end in colons, as a syslog tag does.
    (text) =>
      `www.example.org 2001:db8:: - ${nginx(text)} [22/Nov/2026:13:44:53 +0000] "GET / HTTP/1.1" 404 153 "-" "-" "-"`,
    ...access(nginx).map(
      (line): Line =>
        (text) =>
          `www.example.org ${line(text)} "172.18.0.5:80"`,
    ),
    (text) =>
      `${text.replaceAll(/\s.*/g, '')} 192.0.2.66 - - [22/Nov/2026:13:44:53 +0000] "GET / HTTP/1.1" 404 153 "-" "-" "-"`,
  ],
  'nginx-errors': access(nginx),
  'nginx-botsearch': access(nginx),
  'nginx-http-auth': nginxError,
  'nginx-limit-req': nginxError,
  'apache-errors': access(apache),
  wordpress: [
    ...access(apache),
    ...access(nginx),
    (text) =>
      `192.0.2.66 - - [22/Nov/2026:13:44:53 +0000] "POST /wp-login.php?${apache(text)} HTTP/1.1" 200 2793 "${apache(text)}" "${apache(text)}"`,
    (text) =>
      `192.0.2.66 - - [22/Nov/2026:13:44:53 +0000] "POST /wp-login.php HTTP/1.1" 200 2793 "${apache(text)}" "${apache(text)}"`,
  ],
  'apache-auth': [
    (text) =>
      `[Sun Nov 22 13:44:53.123456 2026] [auth_basic:error] [pid 8:tid 140] [client 192.0.2.66:51234] AH01618: user ${text} not found: /, referer: ${text}`,
    (text) =>
      `[Sun Nov 22 13:44:53.123456 2026] [core:error] [pid 8:tid 140] [client 192.0.2.66:51234] AH00126: Invalid URI in request ${text}`,
  ],
  traefik: [
    ...access((text) => text),
    (text) =>
      `{"ClientAddr":"192.0.2.66:51234","ClientHost":"192.0.2.66","ClientPort":"51234","ClientUsername":"${json(text)}","DownstreamStatus":401,"RequestPath":"/${json(text)}","level":"info","msg":"","request_User-Agent":"${json(text)}","time":"2026-11-22T13:44:53Z"}`,
    (text) =>
      `{"ClientAddr":"192.0.2.66:51234","ClientHost":"192.0.2.66","ClientPort":"51234","ClientUsername":"-","DownstreamStatus":200,"RequestPath":"/${json(text)}","level":"info","msg":"","time":"2026-11-22T13:44:53Z"}`,
  ],
  caddy: [401, 200].map(
    (status): Line =>
      (text) =>
        `{"level":"info","ts":1795355093.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.66","remote_port":"1","client_ip":"192.0.2.66","proto":"HTTP/1.1","method":"${json(text)}","host":"${json(text)}","uri":"/${json(text)}","headers":{"X":["${json(text)}"]}},"bytes_read":0,"user_id":"","duration":0.0009,"size":0,"status":${status},"resp_headers":{}}`,
  ),
  sshd: [
    (text) => `Invalid user ${text} from ${sshEnd}`,
    (text) => `Failed password for invalid user ${text} from ${sshEnd} ssh2`,
    (text) => `Failed password for ${text} from ${sshEnd} ssh2`,
    (text) =>
      `error: maximum authentication attempts exceeded for invalid user ${text} from ${sshEnd} ssh2 [preauth]`,
    (text) => `Connection closed by invalid user ${text} ${sshEnd} [preauth]`,
    (text) => `Connection closed by authenticating user ${text} ${sshEnd} [preauth]`,
    (text) => `banner exchange: Connection from ${sshEnd}: ${text}`,
    (text) => `Bad protocol version identification '${text}' from ${sshEnd}`,
    (text) => `kex_exchange_identification: client sent invalid protocol identifier "${text}"`,
    (text) => `Received disconnect from ${sshEnd}:11: ${text} [preauth]`,
    (text) => `User ${text} from 192.0.2.66 not allowed because not listed in AllowUsers`,
  ],
  vaultwarden: [
    (text) =>
      `[2026-11-22 13:44:53.123][vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: 192.0.2.66. Username: ${text}.`,
    (text) => `[2026-11-22 13:44:53.123][request][INFO] GET /${text}`,
    (text) => `[2026-11-22 13:44:53.123][vaultwarden::api::identity][ERROR] Invalid scope ${text}`,
  ],
  nextcloud: [
    (text) =>
      `{"reqId":"x","level":2,"time":"2026-11-22T13:44:53+00:00","remoteAddr":"192.0.2.66","user":"--","app":"core","method":"POST","url":"/${json(text)}","message":"Login failed: ${json(text)} (Remote IP: 192.0.2.66)","userAgent":"${json(text)}","version":"29.0.4.1"}`,
    (text) =>
      `{"reqId":"x","level":2,"time":"2026-11-22T13:44:53+00:00","remoteAddr":"192.0.2.66","user":"--","app":"core","method":"GET","url":"/${json(text)}","message":"${json(text)}","userAgent":"${json(text)}","version":"29.0.4.1"}`,
    (text) =>
      `[Sun Nov 22 13:44:53.123456 2026] [php:notice] [pid 30] [client 192.0.2.66:51234] [nextcloud][core][2] {"reqId":"x","level":2,"time":"2026-11-22T13:44:53+00:00","remoteAddr":"192.0.2.66","user":"--","app":"core","method":"POST","url":"/${json(text).replaceAll('\\', '\\\\')}","message":"Login failed: x (Remote IP: 192.0.2.66)","userAgent":"x","version":"29.0.4.1"}`,
  ],
  gitea,
  forgejo: gitea,
  authelia: [
    (text) =>
      `time="2026-11-22T13:44:53Z" level=error msg="Unsuccessful 1FA authentication attempt by user '${json(text)}'" error="${json(text)}" method=POST path=${logfmt(text)} remote_ip=192.0.2.66`,
    (text) =>
      `time="2026-11-22T13:44:53Z" level=error msg="${json(text)}" error=${logfmt(text)} method=POST path=/ remote_ip=192.0.2.66`,
    (text) =>
      `{"error":"${json(text)}","level":"error","method":"POST","msg":"Unsuccessful 1FA authentication attempt by user '${json(text)}'","path":"/${json(text)}","remote_ip":"192.0.2.66","time":"2026-11-22T13:44:53Z"}`,
  ],
  jellyfin: [
    (text) =>
      `[13:44:53] [INF] [12] Jellyfin.Server.Implementations.Users.UserManager: Authentication request for ${text} has been denied (IP: 192.0.2.66).`,
    (text) =>
      `[13:44:53] [ERR] [12] Jellyfin.Server.Middleware.ExceptionMiddleware: Error processing request. URL GET /${text}`,
    (text) => `[13:44:53] [INF] [12] Emby.Server.Implementations.Session.SessionManager: Playback by ${text}`,
  ],
  grafana: ['/login', undefined].map(
    (path): Line =>
      (text) =>
        `logger=context userId=0 orgId=0 uname= t=2026-11-22T13:44:53.2Z level=info msg="Request Completed" method=POST path=${path ?? logfmt(`/${text}`)} status=401 remote_addr=192.0.2.66 time_ms=10 duration=10.9ms size=94 referer=${logfmt(text)} handler=/login error=${logfmt(text)}`,
  ),
  'home-assistant': [
    (text) =>
      `2026-11-22 13:44:53.123 WARNING (MainThread) [homeassistant.components.http.ban] Login attempt or request with invalid authentication from x (192.0.2.66). Requested URL: '/${text}'. (${text})`,
    (text) =>
      `2026-11-22 13:44:53.123 ERROR (MainThread) [aiohttp.server] Error handling request from ${text}`,
  ],
  postfix: [
    (text) =>
      `${smtpd} warning: unknown[192.0.2.66]: SASL LOGIN authentication failed: x, sasl_username=${text}`,
    (text) =>
      `${smtpd} NOQUEUE: reject: RCPT from unknown[192.0.2.66]: 554 5.7.1 <${text}>: Relay access denied; from=<${text}> to=<${text}> proto=ESMTP helo=<${text}>`,
    (text) => `${smtpd} improper command pipelining after EHLO from unknown[192.0.2.66]: ${text}`,
    (text) => `${smtpd} warning: non-SMTP command from unknown[192.0.2.66]: ${text}`,
    (text) =>
      `Nov 22 13:44:53 mail postfix/cleanup[124]: 4XyZab12cd: warning: header Subject: ${text} from unknown[192.0.2.66]; from=<x> to=<y> proto=ESMTP helo=<z>`,
  ],
  recidive: [
    () => '2026-11-22 13:44:53,123 fail2ban.actions        [81]: NOTICE  [sshd] Ban 192.0.2.66',
    // The only text of a client in there is a name, where one is looked up.
    (text) =>
      `2026-11-22 13:44:53,123 fail2ban.ipdns          [81]: WARNING Determined IP using DNS Lookup: ${text} = {'192.0.2.66'}`,
    (text) =>
      `2026-11-22 13:44:53,123 fail2ban.ipdns: WARNING Unable to find a corresponding IP address for ${text}: x`,
  ],
  dovecot: [
    (text) =>
      `Nov 22 13:44:53 imap-login: Info: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<${text}>, method=PLAIN, rip=192.0.2.66, lip=172.18.0.4, TLS`,
    (text) => `Nov 22 13:44:53 auth: Info: passwd-file(${text},192.0.2.66): unknown user`,
    (text) => `Nov 22 13:44:53 lmtp(x)<1><y>: Info: msgid=<${text}>: saved mail to INBOX`,
    (text) => `Nov 22 13:44:53 mail dovecot: imap(x)<1><y>: Error: ${text}`,
  ],
};
