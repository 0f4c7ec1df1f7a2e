/** A log to match, the same at every run: line by line from a fixed sequence of numbers. */
export function generate(
  lines: number,
  line: (n: number, random: (below: number) => number) => string,
): string {
  let seed = 20_261_122;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  const text: string[] = [];
  for (let n = 0; n < lines; n++) text.push(line(n, random));
  return `${text.join('\n')}\n`;
}

const stamp = (n: number): string => {
  const two = (value: number): string => String(value % 60).padStart(2, '0');
  return `Nov 22 ${String(8 + (Math.floor(n / 36_000) % 10)).padStart(2, '0')}:${two(Math.floor(n / 600))}:${two(Math.floor(n / 10))}`;
};

type Random = (below: number) => number;
const address = (random: Random): string => `198.51.${random(100)}.${1 + random(250)}`;

/** nginx-proxy's format behind syslog; one line in a hundred is a 404. */
export function nginxProxyLine(n: number, random: Random): string {
  const status = random(100) === 0 ? 404 : 200;
  return (
    `${stamp(n)} host nginx-proxy[1234]: www.example.com ${address(random)} - - [22/Nov/2026:13:44:53 +0000] ` +
    `"GET /articles/${random(100_000)}/index.html HTTP/1.1" ${status} ${random(90_000)} "https://www.example.com/" ` +
    `"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0" "172.18.0.${random(200)}:80"`
  );
}

/** An sshd under the usual attack: nine lines of every day to one failure. */
export function sshdLine(n: number, random: Random): string {
  const head = `${stamp(n)} host sshd[${1000 + random(30_000)}]:`;
  switch (random(10)) {
    case 0:
      return `${head} Failed password for invalid user admin${random(99)} from ${address(random)} port ${1024 + random(60_000)} ssh2`;
    case 1:
    case 2:
      return `${head} Connection closed by ${address(random)} port ${1024 + random(60_000)}`;
    case 3:
    case 4:
      return `${head} pam_unix(sshd:session): session opened for user deploy(uid=1000) by (uid=0)`;
    case 5:
      return `${head} Received disconnect from ${address(random)} port ${1024 + random(60_000)}:11: disconnected by user`;
    default:
      return `${head} Accepted publickey for deploy from ${address(random)} port ${1024 + random(60_000)} ssh2: ED25519 SHA256:x`;
  }
}

const others: readonly ((random: Random) => string)[] = [
  (random) => `postfix/smtpd[${random(9999)}]: connect from unknown[${address(random)}]`,
  (random) =>
    `postfix/smtpd[${random(9999)}]: warning: unknown[${address(random)}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6`,
  (random) =>
    `dovecot: imap-login: Login: user=<a>, method=PLAIN, rip=${address(random)}, lip=192.0.2.1, TLS, session=<x>`,
  (random) =>
    `named[${random(9999)}]: client @0x7f ${address(random)}#53 (example.com): query: example.com IN A +`,
  (random) =>
    `named[${random(9999)}]: client @0x7f ${address(random)}#53 (example.com): query (cache) 'example.com/A/IN' denied`,
  (random) =>
    `dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<a>, method=PLAIN, rip=${address(random)}, lip=192.0.2.1, session=<x>`,
  () => 'systemd[1]: Started Session 42 of user deploy.',
  () => 'CRON[4711]: (root) CMD (run-parts /etc/cron.hourly)',
  (random) =>
    `kernel: [12345.678901] IN=eth0 SRC=${address(random)} DST=192.0.2.1 PROTO=TCP DPT=${random(65_535)}`,
];

/** What a host's syslog is like: a bit of everything. */
export function mixedLine(n: number, random: Random): string {
  const kind = random(10);
  if (kind < 3) return sshdLine(n, random);
  if (kind < 5) return nginxProxyLine(n, random);
  return `${stamp(n)} host ${others[random(others.length)]!(random)}`;
}
