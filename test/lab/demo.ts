// `npm run demo`: dock2ban at work, before the reader's eyes. Raises the lab, starts compose.example.yml in it, lets an attacker provoke
// 404s until it is banned while an honest client is served, then lets the attacker in again. What commands print is shown as it is.
import { setTimeout as delay } from 'node:timers/promises';
import { styleText } from 'node:util';
import type { Client } from './client.ts';
import type { Outcome } from './client-protocol.ts';
import type { LabHost } from './host.ts';
import type { Lab } from './lab.ts';
import { startLab } from './lab.ts';
import { projectRoot } from './images.ts';

const site = 'app.example.com';
const composeFile = ['--file', 'compose.example.yml'];

function heading(text: string): void {
  process.stdout.write(`\n${styleText('bold', text)}\n`);
}

function say(text: string): void {
  process.stdout.write(`  ${text}\n`);
}

/** What a program printed, as it is. */
function quote(command: string, output: string): void {
  say(styleText('dim', `$ ${command}`));
  for (const line of output.trimEnd().split('\n')) say(`  ${line}`);
}

function describe(outcome: Outcome): string {
  if (outcome === 200) return styleText('green', '200 OK');
  if (typeof outcome === 'number') return styleText('yellow', String(outcome));
  return styleText('red', outcome === 'timeout' ? 'no answer' : outcome);
}

async function show(name: string, client: Client, url: string): Promise<Outcome> {
  const outcome = await client.get(url, { host: site, timeoutMs: 700 });
  const { port, pathname } = new URL(url);
  const request = `GET ${port === '' ? '' : `:${port}`}${pathname}`;
  say(`${name} ${client.ip4.padEnd(14)} ${request.padEnd(18)} → ${describe(outcome)}`);
  return outcome;
}

/** Waits until dock2ban's log has something. */
async function untilLogged(lab: Lab, pattern: RegExp): Promise<void> {
  const logged = async (): Promise<boolean> => pattern.test(await lab.host.docker('logs', 'dock2ban'));
  await lab.host.until(`${pattern} in the log of dock2ban`, logged, 20_000);
}

/** Runs docker in the host, and shows what it prints. */
async function docker(host: LabHost, ...args: string[]): Promise<void> {
  quote(`docker ${args.join(' ')}`, await host.docker(...args));
}

async function attack(attacker: Client, honest: Client, url: string): Promise<void> {
  for (let i = 1; i <= 10; i++) {
    const outcome = await show('attacker', attacker, `${url}/wp-login-${i}`);
    await show('visitor ', honest, `${url}/`);
    if (typeof outcome !== 'number') return;
    await delay(250);
  }
  throw new Error('the attacker was never banned');
}

async function demonstrate(lab: Lab): Promise<void> {
  const { host } = lab;
  const url = `http://${host.ip4}`;

  heading('docker compose up: dock2ban beside nginx-proxy, just as compose.example.yml has it');
  quote(
    'docker compose -f compose.example.yml up -d',
    await host.compose([...composeFile, 'up', '--detach', '--no-build'], { cwd: projectRoot }),
  );
  await untilLogged(lab, /\[nginx-proxy\] Started/);
  await docker(host, 'logs', 'dock2ban');

  const attacker = await lab.client('198.51.100.66');
  const honest = await lab.client('203.0.113.7');

  heading('An attacker looks for weak spots; a visitor reads the site. Five 404s are one too many');
  await attack(attacker, honest, url);
  await untilLogged(lab, /\] Ban /);
  await docker(host, 'logs', '--tail', '6', 'dock2ban');
  await docker(host, 'exec', 'dock2ban', 'dock2ban', 'status', 'nginx-proxy');

  heading('Port 443 is closed to the attacker too, and to nobody else');
  await show('attacker', attacker, `${url}:443/`);
  await show('visitor ', honest, `${url}:443/`);

  heading('Forgiven');
  await docker(host, 'exec', 'dock2ban', 'dock2ban', 'unban', 'nginx-proxy', attacker.ip4);
  const back = await show('attacker', attacker, `${url}/`);
  if (back !== 200) throw new Error('the attacker is still banned after unban');
  await docker(host, 'logs', '--tail', '1', 'dock2ban');

  heading('docker compose down');
  await host.compose([...composeFile, 'down', '--timeout', '5'], { cwd: projectRoot });
}

heading('Set-up: a Docker host in network namespaces of its own (the first time, images are built)');
const started = performance.now();
{
  await using lab = await startLab({ report: say });
  say(`ready after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  await demonstrate(lab);
}
say('done; nothing is left running');
