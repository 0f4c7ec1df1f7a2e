// `npm run lab:up`: raises the lab with compose.example.yml and two clients, says how to get a shell in each namespace, and
// leaves it up until Ctrl-C. `npm run lab:up -- 28.5` takes another engine.
import { once } from 'node:events';
import { engineVersions } from './engine-version.ts';
import { projectRoot } from './images.ts';
import { startLab } from './lab.ts';

const composeFile = ['--file', 'compose.example.yml'];

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const wanted = process.argv[2];
const engine = engineVersions.find((version) => version === wanted);
if (wanted !== undefined && engine === undefined)
  throw new Error(`unknown engine ${wanted}: choose one of ${engineVersions.join(', ')}`);

{
  await using lab = await startLab({ report: say, ...(engine && { engine }) });
  const { host } = lab;
  await host.compose([...composeFile, 'up', '--detach', '--no-build'], { cwd: projectRoot });
  const attacker = await lab.client('198.51.100.66');
  const honest = await lab.client('203.0.113.7');
  const namespaces = `--mount --uts --ipc --net --pid=/proc/${host.pid}/ns/pid_for_children`;
  say(`
host      ${host.ip4}, ${host.ip6}     nsenter --target ${host.pid} ${namespaces} bash
attacker  ${attacker.ip4}   nsenter --target ${attacker.pid} --net bash
honest    ${honest.ip4}     nsenter --target ${honest.pid} --net bash

In the host: docker logs -f dock2ban; docker exec dock2ban dock2ban status nginx-proxy
As a client: curl -H 'Host: app.example.com' http://${host.ip4}/missing

Ctrl-C takes it down.`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
}
