import { setTimeout as delay } from 'node:timers/promises';
import { open, stat } from 'node:fs/promises';

/** Of so many lines, one is a failure. */
export const oneInBad = 100;

const stamp = (): string => new Date().toISOString().replace('Z', '+00:00');
const address = (n: number): string => `198.51.${n % 100}.${1 + (n % 251)}`;

/** What services log when all is well. */
const ordinary: readonly ((n: number) => string)[] = [
  (n) =>
    `sshd[${n % 9999}]: Accepted publickey for deploy from ${address(n)} port ${1024 + (n % 60_000)} ssh2: ED25519 SHA256:x`,
  (n) => `sshd[${n % 9999}]: pam_unix(sshd:session): session opened for user deploy(uid=1000) by (uid=0)`,
  (n) => `postfix/smtpd[${n % 9999}]: connect from mail.example.com[${address(n)}]`,
  (n) =>
    `dovecot: imap-login: Login: user=<a>, method=PLAIN, rip=${address(n)}, lip=192.0.2.1, mpid=${n % 9999}, TLS, session=<x>`,
  (n) => access(n, 200),
  (n) => access(n + 1, 200),
  (n) => access(n + 2, 304),
  (n) => `named[${n % 9999}]: client @0x7f ${address(n)}#53 (example.com): query: example.com IN A +`,
  () => 'systemd[1]: Started Session 42 of user deploy.',
  () => 'CRON[4711]: (root) CMD (run-parts /etc/cron.hourly)',
];

/** What they log of intruders, and the jail that it is for. */
const bad: readonly (readonly [jail: string, (n: number) => string])[] = [
  ['sshd', (n) => `sshd[${n % 9999}]: Failed password for root from ${address(n)} port 22022 ssh2`],
  [
    'postfix',
    (n) =>
      `postfix/smtpd[${n % 9999}]: warning: unknown[${address(n)}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6`,
  ],
  [
    'dovecot',
    (n) =>
      `dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<a>, method=PLAIN, rip=${address(n)}, lip=192.0.2.1, session=<x>`,
  ],
  ['nginx-proxy', (n) => access(n, 404)],
];

function access(n: number, status: number): string {
  return (
    `nginx-proxy[1234]: www.example.com ${address(n)} - - [22/Nov/2026:13:44:53 +0000] "GET /articles/${n % 99_991}/index.html ` +
    `HTTP/1.1" ${status} ${n % 90_000} "https://www.example.com/" "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0" "172.18.0.${n % 200}:80"`
  );
}

/** A piece of a log, to be written again and again, and how many failures of each jail are in it. */
export interface Piece {
  readonly bytes: Buffer;
  readonly lines: number;
  readonly failures: Readonly<Record<string, number>>;
}

/** Lines of now. @param lines a multiple of 400 */
export function makePiece(lines: number): Piece {
  const time = stamp();
  const failures: Record<string, number> = {};
  const text = Array.from({ length: lines }, (_, n) => {
    if (n % oneInBad !== 0)
      return `${time} host ${ordinary[(n * 7 + Math.floor(n / 10)) % ordinary.length]!(n)}\n`;
    const [jail, line] = bad[(n / oneInBad) % bad.length]!;
    failures[jail] = (failures[jail] ?? 0) + 1;
    return `${time} host ${line(n)}\n`;
  });
  return { bytes: Buffer.from(text.join('')), lines, failures };
}

/** The last line, a failure of a client that has no other. */
export const lastClient = '203.0.113.99';
export const lastLine = (): string =>
  `${stamp()} host sshd[1]: Failed password for root from ${lastClient} port 22022 ssh2\n`;

/**
 * Writes a piece again and again, never far ahead of who reads.
 * @param read how many bytes have been read so far
 */
export async function write(path: string, piece: Piece, times: number, read: () => number): Promise<void> {
  const ahead = 64 * 1024 * 1024;
  const file = await open(path, 'a');
  const before = (await stat(path)).size;
  try {
    for (let n = 0; n < times; n++) {
      while (before + n * piece.bytes.length - read() > ahead) await delay(1);
      await file.write(piece.bytes);
    }
    await file.write(lastLine());
  } finally {
    await file.close();
  }
}
