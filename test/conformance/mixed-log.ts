/** What any server logs all day. */
const innocent: readonly string[] = [
  'Nov 22 13:44:53 box systemd[1]: Started Daily apt download activities.',
  'Nov 22 13:44:54 box CRON[4711]: (root) CMD (run-parts /etc/cron.hourly)',
  'Nov 22 13:44:55 box sshd[4712]: Accepted publickey for alice from 198.51.100.7 port 50022 ssh2: ED25519 SHA256:abc',
  'Nov 22 13:44:56 box kernel: [12345.678901] docker0: port 1(veth1) entered forwarding state',
  '2026-11-22T13:44:57.123456+01:00 box dockerd[99]: level=info msg="API listen on /run/docker.sock"',
  '198.51.100.8 - - [22/Nov/2026:13:44:58 +0100] "GET / HTTP/1.1" 200 612 "-" "Mozilla/5.0"',
  '2026/11/22 13:44:59 [notice] 1#1: start worker process 30',
  'a line without any date, naming 198.51.100.9',
  '{"time":"2026-11-22T13:45:00Z","level":"info","msg":"request","remote":"198.51.100.10"}',
];

/**
 * A log made of a sample log's lines in their order, again and again, with innocent lines strewn in between. The same
 * log for the same input.
 */
export function mixedLog(samples: string, length: number): string {
  const guilty = samples.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  // A linear congruential generator: which lines are strewn in must not depend on the machine.
  let seed = 20_261_122;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % below;
  };
  const lines: string[] = [];
  for (let next = 0; lines.length < length;) {
    if (random(3) === 0) lines.push(innocent[random(innocent.length)]!);
    else lines.push(guilty[next++ % guilty.length]!);
  }
  return `${lines.join('\n')}\n`;
}
