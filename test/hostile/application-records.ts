import { encoded, header, json, logfmt, userId, word } from './escapes.ts';
import { sender, type HostileRecord } from './record.ts';

const counted = { counts: 'normal' } as const;
/** A line in which whatever a client sends counts against it, and one that doesn't count. */
const refused = (line: (text: string) => string): HostileRecord => ({ ...counted, line });
const other = (line: (text: string) => string): HostileRecord => ({ line });

const stamp = '2026-11-22 13:44:53,123';
const iso = '2026-11-22T13:44:53';

const servarr: HostileRecord[] = [
  refused((text) => `[Warn] Auth: Auth-Failure ip ${sender} username '${text}'`),
  refused((text) => `2026-11-22 13:44:53.1|Warn|Auth|Auth-Failure ip ${sender} username '${text}'`),
  other((text) => `[Info] Auth: Auth-Unauthorized ip ${sender} url '/${header(text)}'`),
];

const seerr: HostileRecord[] = [
  refused(
    (text) =>
      `${iso}.123Z [warn][API]: Failed sign-in attempt using invalid Seerr password {"ip":"${sender}","email":"${json(text)}"}`,
  ),
  refused(
    (text) =>
      `${iso}.123Z [warn][Auth]: Failed login attempt from user with incorrect Jellyfin credentials {"account":{"ip":"${sender}","email":"${json(text)}"}}`,
  ),
  other(
    (text) =>
      `${iso}.123Z [error][API]: Something went wrong authenticating with Plex account {"errorMessage":"${json(text)}","ip":"${sender}"}`,
  ),
];

/** Names and call identifiers of SIP are one line. */
const asterisk =
  (event: string, name: (text: string) => string, response: (text: string) => string) =>
  (text: string): string =>
    `[2026-11-22 13:44:53] SECURITY[123] res_security_log.c: SecurityEvent="${event}",EventTV="x",Severity="Error",Service="PJSIP",EventVersion="1",AccountID="${name(text)}",SessionID="${name(text)}",LocalAddress="IPV4/UDP/172.18.0.2/5060",RemoteAddress="IPV4/UDP/${sender}/5060",Challenge="1",Response="${response(text)}",ExpectedResponse=""`;
const none = (): string => '';
const asteriskRecords: HostileRecord[] = [
  refused(asterisk('InvalidPassword', none, none)),
  other(asterisk('InvalidPassword', header, none)),
  other(asterisk('ChallengeResponseFailed', none, header)),
  other(asterisk('SuccessfulAuth', header, header)),
];

const keycloak = `${stamp} WARN  [org.keycloak.events] (executor-thread-1) type="LOGIN_ERROR", realmId="5a", realmName="x",`;
/** StringUtil.sanitizeSpacesAndQuotes: backslashes stay. */
const sanitized = (text: string): string => text.replaceAll(/\s/g, ' ').replaceAll('"', '\\"');

const sabnzbd = `${stamp}::WARNING::[interface:689] Unsuccessful login attempt from`;
const wallabag = '[2026-11-22T13:44:53.123456+00:00] app.ERROR: Authentication failure for user';
const murmur = '<W>2026-11-22 13:44:53.123 1 =>';
/** The default of its option `username` allows no angle brackets. */
const murmurName = (text: string): string => header(text).replaceAll(/[<>]/g, '');
const adguard = '2026/11/22 13:44:53.123456 [error] webapi: http error';
const sogo = (text: string): string =>
  `SOGoRootPage Login from '${sender}' for user '${text}' might not have worked - password policy: 65535  grace: -1  expire: -1  bound: 0`;
/** LimitRequestFieldSize and its like elsewhere. */
const xff = (text: string): string => (header(text) === '' ? sender : `${header(text)}, ${sender}`);

/** For each filter of an application, where a client's text gets into the log, written as the application writes it. */
export const applicationRecords: Readonly<Record<string, readonly HostileRecord[]>> = {
  sonarr: servarr,
  radarr: servarr,
  prowlarr: servarr,
  lidarr: servarr,
  seerr,
  jellyseerr: seerr,
  overseerr: seerr,
  asterisk: asteriskRecords,
  freepbx: asteriskRecords,
  'paperless-ngx': [
    refused(
      (text) => `[${stamp}] [INFO] [paperless.auth] Login failed for user \`${text}\` from IP \`${sender}\`.`,
    ),
    other(
      (text) =>
        `[${stamp}] [INFO] [paperless.auth] Login failed for user \`${text}\`. Unable to determine IP address.`,
    ),
    other((text) => `[${stamp}] [INFO] [paperless.consumer] Consuming ${header(text)}`),
  ],
  keycloak: [
    refused(
      (text) =>
        `${keycloak} clientId="x", userId="null", ipAddress="${sender}", error="user_not_found", redirect_uri="${sanitized(text)}", username="${sanitized(text)}"`,
    ),
    other(
      (text) =>
        `${keycloak} clientId="${sanitized(text)}", userId="null", ipAddress="${sender}", error="client_not_found", username="${sanitized(text)}"`,
    ),
  ],
  qbittorrent: [
    refused(
      (text) =>
        `(W) ${iso} - WebAPI login failure. Reason: invalid credentials, attempt count: 1, IP: ::ffff:${sender}, username: ${text}`,
    ),
    other((text) => `(N) ${iso} - Torrent added: "${header(text)}"`),
  ],
  'uptime-kuma': [
    refused(
      (text) => `${iso}+00:00 [AUTH] WARN: Incorrect username or password for user ${text}. IP=${sender}`,
    ),
    refused(
      (text) =>
        `{"time":"${iso}+00:00","module":"AUTH","level":"warn","msg":"Incorrect username or password for user ${json(text)}. IP=${sender}"}`,
    ),
    other((text) => `${iso}+00:00 [AUTH] INFO: 2FA token required for user ${text}. IP=${sender}`),
  ],
  mailu: [
    refused(
      (text) =>
        `[${stamp}] INFO in nginx: Login attempt for: '${json(text)}'/imap/993 from: ${sender}/51234: failed: account disabled`,
    ),
    other(
      (text) =>
        `[${stamp}] INFO in nginx: Login attempt for: x/imap/993 from: ${sender}/51234: success: token-1: '${json(text)}'`,
    ),
  ],
  'code-server': [
    refused(
      (text) =>
        `Failed login attempt {"remoteAddress":"${sender}","userAgent":"${json(header(text))}","timestamp":1}`,
    ),
    refused(
      (text) =>
        `Failed login attempt {"xForwardedFor":"${json(xff(text))}","remoteAddress":"172.18.0.2","userAgent":"${json(header(text))}","timestamp":1}`,
    ),
  ],
  filebrowser: [
    refused(() => `2026/11/22 13:44:53 /api/login: 403 ${sender} <nil>`),
    other((text) => `2026/11/22 13:44:53 /api/resources/${text}: 404 ${sender} file does not exist`),
  ],
  'adguard-home': [
    refused(
      (text) =>
        `${adguard} host=${logfmt(word(text))} method=POST url=${logfmt(`/control/login?${encoded(text)}`)} status=403 ip=${sender} err="invalid username or password"`,
    ),
    other(
      (text) =>
        `${adguard} host=${logfmt(word(text))} method=POST url=${logfmt(`/control/login?${encoded(text)}`)} status=400 ip=${sender} err=${logfmt(`json decode: ${text}`)}`,
    ),
  ],
  miniflux: [
    refused(
      (text) =>
        `time=${iso}.123Z level=WARN msg="Incorrect username or password" authentication_failed=true client_ip=${sender} user_agent=${logfmt(header(text))} username=${logfmt(text)} error=x`,
    ),
    refused(
      (text) =>
        `{"time":"${iso}.123Z","level":"WARN","msg":"Incorrect username or password","authentication_failed":true,"client_ip":"${sender}","user_agent":"${json(header(text))}","username":"${json(text)}"}`,
    ),
    other(
      (text) =>
        `time=${iso}.123Z level=WARN msg="x" authentication_failed=true client_ip=${sender} user_agent=${logfmt(header(text))}`,
    ),
  ],
  deluge: [
    refused(
      () => `${stamp} [ERROR   ][deluge.ui.web.auth                :253 ] Login failed (ClientIP ${sender})`,
    ),
    other((text) => `${stamp} [INFO    ][deluge.core.torrentmanager        :9   ] ${header(text)}`),
  ],
  sabnzbd: [
    refused((text) => `${sabnzbd} ${sender} [${header(text)}]`),
    other((text) => `${sabnzbd} 172.18.0.2 (X-Forwarded-For: ${xff(text)}) [${header(text)}]`),
  ],
  audiobookshelf: [
    refused(
      (text) =>
        `[2026-11-22 13:44:53.123] ERROR: [LocalAuth] Failed login attempt for username "${text}" from ip ${sender} (User not found)`,
    ),
    other((text) => `[2026-11-22 13:44:53.123] INFO: [Server] ${header(text)}`),
  ],
  'calibre-web': [
    refused(
      (text) =>
        `[${stamp}]  WARN {web.py:1449} Login failed for user "${header(text)}" IP-address: ${xff(text)}`,
    ),
    refused(
      (text) =>
        `[${stamp}]  WARN {usermanagement.py:57} OPDS Login failed for user "x${userId(text)}" IP-address: ${sender}`,
    ),
    other(
      (text) =>
        `[${stamp}]  INFO {web.py:1433} Password reset for user "${header(text)}" IP-address: ${sender}`,
    ),
  ],
  mealie: [
    refused(() => `ERROR    ${iso} - Incorrect username or password from ${sender}`),
    other((text) => `INFO     ${iso} - ${header(text)}`),
  ],
  immich: [
    refused(
      (text) =>
        `[Nest] 17  - 11/22/2026, 1:44:53 PM    WARN [Api:AuthService~x] Failed login attempt for user ${text.replaceAll(/[^\w.+-]/g, '')}@x from ip address ${sender}`,
    ),
    other(
      (text) =>
        `[Nest] 17  - 11/22/2026, 1:44:53 PM    WARN [Api:AuthService~x] Denied access to admin only route: /${encoded(text)}`,
    ),
  ],
  octoprint: [
    refused((text) => `${stamp} - Failed login attempt for user ${text} from ${sender}, user is unknown`),
    other((text) => `${stamp} - Logging in user ${text} from ${sender} via credentials`),
  ],
  syncthing: [
    refused(
      (text) =>
        `2026-11-22 13:44:53 WRN Bad credentials supplied during API authorization (address=${sender} username=${logfmt(text)} log.pkg=api)`,
    ),
    other((text) => `2026-11-22 13:44:53 INF Device "${json(text)}" connected (log.pkg=model)`),
  ],
  wallabag: [
    refused(() => `${wallabag} "x", from IP "${sender}", with UA: "x". [] []`),
    other((text) => `${wallabag} "${header(text)}", from IP "${sender}", with UA: "x". [] []`),
    other((text) => `${wallabag} "x", from IP "${sender}", with UA: "${header(text)}". [] []`),
  ],
  redmine: [
    refused((text) => `Failed login for '${text}' from ${sender} at 2026-11-22 13:44:53 UTC`),
    other((text) => `  Parameters: {"username"=>"${json(text)}"}`),
  ],
  drupal: [
    refused(
      (text) =>
        `https://example.org|1795355093|user|${sender}|https://example.org/user/login?${encoded(text)}|${header(text)}|0||Login attempt failed for x.`,
    ),
    other(
      (text) =>
        `https://example.org|1795355093|page not found|${sender}|https://example.org/${encoded(text)}|${header(text)}|0||/${header(text)}`,
    ),
  ],
  joomla: [
    refused(() => `${iso}+00:00\tINFO ${sender}\tjoomlafailure\tUsername and password do not match`),
    other((text) => `${iso}+00:00\tWARNING ${sender}\tjerror\t${header(text)}`),
  ],
  seafile: [
    refused(
      (text) =>
        `${stamp} [WARNING] seahub.auth.views:155 login Login attempt limit reached, show Captcha, email/username: ${text}, ip: ${sender}, attemps: 5`,
    ),
    other(
      (text) =>
        `${stamp} [WARNING] seahub.auth.views:170 login Login attempt limit reached, freeze the user email/username: ${header(text)}, ip: ${sender}, attemps: 5`,
    ),
  ],
  sogo: [
    refused(() => sogo('x')),
    other((text) => sogo(header(text))),
    other(
      (text) =>
        `SOGoRootPage successful login from '${sender}' for user '${header(text)}' - expire = -1  grace = -1`,
    ),
  ],
  sftpgo: [
    refused(
      (text) =>
        `{"level":"debug","time":"${iso}.123","sender":"connection_failed","client_ip":"${sender}","username":"${json(text)}","login_type":"password","protocol":"SSH","error":"${json(text)}"}`,
    ),
    {
      counts: 'aggressive',
      line: (text) =>
        `{"level":"debug","time":"${iso}.123","sender":"connection_failed","client_ip":"${sender}","username":"${json(text)}","login_type":"publickey","protocol":"SSH","error":"x"}`,
    },
    other(
      (text) =>
        `{"level":"info","time":"${iso}.123","sender":"login","ip":"${sender}","username":"${json(text)}"}`,
    ),
  ],
  murmur: [
    refused(
      (text) =>
        `${murmur} <4:${murmurName(text)}(-1)> Rejected connection from ${sender}:51234: Invalid server password`,
    ),
    other(
      (text) =>
        `${murmur} <4:${header(text)}(-1)> Rejected connection from ${sender}:51234: Invalid username`,
    ),
    other((text) => `${murmur} <4:x(3)> Added channel ${header(text)}`),
  ],
  courier: [
    refused((text) => `imapd: LOGIN FAILED, user=${header(text)}, ip=[::ffff:${sender}], port=[51234]`),
    other((text) => `imapd: LOGIN, user=${header(text)}, ip=[${sender}], port=[51234], protocol=IMAP`),
  ],
  znc: [
    refused((text) => `[2026-11-22 13:44:53] [${word(text)}] failed to login from ${sender}`),
    other((text) => `[2026-11-22 13:44:53] [${header(text)}] failed to login from ${sender}`),
    other((text) => `[2026-11-22 13:44:53] [x/net] disconnected from IRC: ${header(text)}`),
  ],
  prosody: [
    refused(
      (text) =>
        `c2s55d0c0de\tinfo\tFailed authentication attempt (not-authorized) for user ${header(text)} from IP: ${sender}`,
    ),
    other((text) => `c2s55d0c0de\tinfo\tAuthenticated as ${header(text)}`),
  ],
  tinyproxy: [
    refused(() => `NOTICE    Nov 22 13:44:53.123 [12]: Unauthorized connection from "${sender}".`),
    other(
      (text) =>
        `CONNECT   Nov 22 13:44:53.123 [12]: Request (file descriptor 5): GET ${header(text)} HTTP/1.1`,
    ),
  ],
};
