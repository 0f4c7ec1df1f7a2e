import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runCheck } from '../../../src/cli/check/command.ts';
import { loadConfigTree } from '../../../src/config/conf/load-config-tree.ts';
import { resolveJails } from '../../../src/config/resolve.ts';
import { container } from '../container.ts';

const pages = ['README.md', 'docs/labels.md', 'docs/sources.md', 'docs/networks.md'].map((page) =>
  readFileSync(new URL(`../../../${page}`, import.meta.url), 'utf8'),
);
const withoutFiles = { builtinDir: 'filters', configDir: '/no/such/directory' };

/** The labels of each example in YAML. */
const examples = [...pages.join('\n').matchAll(/^```yaml\n([^]*?)^```/gm)]
  .map(([, text = '']) =>
    Object.fromEntries(
      [...text.matchAll(/^\s*(fail2ban\.[\w.]+): (?:'([^']*)'|([^#\n]*?))\s*(?:#.*)?$/gm)].map(
        ([, name, quoted, plain]) => [name!, (quoted ?? plain!).replaceAll('$$', '$')],
      ),
    ),
  )
  .filter((labels) => 'fail2ban.jail' in labels);

it('the pages have examples', () => {
  expect(examples.length).toBeGreaterThan(1);
});

it.each(examples)('what the pages show needs no file: %j', async (labels) => {
  const { jails, problems } = resolveJails({
    tree: await loadConfigTree(withoutFiles),
    containers: [container('web', labels)],
    compileFilter: () => undefined,
  });
  expect(problems).toEqual([]);
  expect(jails.map(({ name }) => name)).toEqual([labels['fail2ban.jail']]);
});

it.each<[Record<string, string>, Parameters<typeof container>[2]]>([
  [{ 'fail2ban.jail': 'nginx-proxy', 'fail2ban.maxretry': '3' }, {}],
  [{ 'fail2ban.jail': 'nginx-proxy', 'fail2ban.bantime': '-1', 'fail2ban.mode': 'aggressive' }, {}],
  [{ 'fail2ban.jail': 'nginx-proxy,sshd', 'fail2ban.jail.sshd.maxretry': '2' }, {}],
  [
    { 'fail2ban.jail': 'nginx-proxy', 'fail2ban.port': '8080' },
    { hostNetwork: true, publishedPorts: [] },
  ],
  [{ 'fail2ban.allowfrom': '192.0.2.0/24,2001:db8::/32' }, {}],
  [
    { 'fail2ban.denyfrom': '192.0.2.7', 'fail2ban.port': '8080' },
    { hostNetwork: true, publishedPorts: [] },
  ],
  [{ 'fail2ban.jail': 'nginx-proxy', 'fail2ban.logpath': '/var/log/app/*.log' }, {}],
])('what they say in words needs none either: %j', async (labels, more) => {
  const { problems } = resolveJails({
    tree: await loadConfigTree(withoutFiles),
    containers: [container('web', labels, more)],
    compileFilter: () => undefined,
  });
  expect(problems).toEqual([]);
});

it('`dock2ban check` says of labels what the controller says', async () => {
  const labels = { 'fail2ban.jail': 'nginx-proxy', 'fail2ban.port': 'all' };
  const containers = [
    container('old', { 'fail2ban.jail': 'nginx-proxy' }),
    container('young', { ...labels, 'fail2ban.maxretry': '99' }, { createdAt: 2 }),
    container('imaged', labels, { imageLabels: labels }),
  ];
  const { findings } = await runCheck({
    ...withoutFiles,
    docker: async () => ({ containers, networks: [] }),
  });
  const { problems } = resolveJails({
    tree: await loadConfigTree(withoutFiles),
    containers,
    compileFilter: () => undefined,
  });
  expect(problems).toHaveLength(2);
  for (const { where, message, fix } of problems) {
    expect(findings).toContainEqual(expect.objectContaining({ where, message, fix }));
  }
});
