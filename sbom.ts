// Adds Node and Debian's packages, listed as by `dpkg-query -W`, to npm's bill of materials (CycloneDX):
// npm sbom --sbom-format cyclonedx | node sbom.ts PACKAGES
import { readFileSync } from 'node:fs';

interface Component {
  readonly type: 'library' | 'application';
  readonly name: string;
  readonly version: string;
  readonly purl: string;
}

const npm: { readonly components: readonly Component[] } = JSON.parse(readFileSync(0, 'utf8'));
const debian = new Set(readFileSync(process.argv[2]!, 'utf8').split('\n').filter(Boolean));
const node = process.version.slice(1);
const components: Component[] = [
  ...npm.components,
  { type: 'application', name: 'node', version: node, purl: `pkg:generic/node@${node}` },
];
for (const line of debian) {
  const [name = '', version = ''] = line.replace(/:\w+\t/, '\t').split('\t');
  const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}`;
  components.push({ type: 'library', name, version, purl });
}
process.stdout.write(`${JSON.stringify({ ...npm, components }, undefined, 1)}\n`);
