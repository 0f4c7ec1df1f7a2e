import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { AptSettings } from './apt.ts';
import { baseImage, baseImageHash } from './base-image.ts';
import { hashFiles, recipeHash } from './cache.ts';
import { makeNodeContext, nodeContextHash } from './node-context.ts';

/** The repository's root. */
export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** The tags of the images that every lab has. */
export const labImages = {
  /** Debian 12 with nothing in it: a shell, coreutils. */
  base: 'd2b-lab/base:bookworm',
  /** nginx with nginx-proxy's log format: 200 on /, `/status/401` and its like, else 404; ports 80 and 443, both HTTP. */
  nginxProxy: 'nginxproxy/nginx-proxy:latest',
  /** Node 24 and npm on Debian 12, for the project's Dockerfile. */
  node: 'node:24-bookworm-slim',
} as const;

/** Runs docker against an engine that reaches the package registries. */
export type RunDocker = (
  args: readonly string[],
  options?: { readonly env?: Readonly<Record<string, string>> },
) => Promise<void>;

/** An image, what it is made of, and how. */
export interface ImageRecipe {
  readonly tag: string;
  /** Changes when anything changes that goes into the image. */
  readonly hash: string;
  build(docker: RunDocker, report: (text: string) => void): Promise<void>;
}

const imagesFolder = fileURLToPath(new URL('images', import.meta.url));

const productInputs = [
  'src',
  'filters',
  'build.ts',
  'sbom.ts',
  'Dockerfile',
  '.dockerignore',
  'LICENSE',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

/** Variables that tell package clients of a proxy; Docker knows them as build arguments without declaration. */
const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

/** What every lab needs beside the product, each after what it is based on. */
export async function labImageRecipes(apt: AptSettings): Promise<ImageRecipe[]> {
  const base: ImageRecipe = {
    tag: labImages.base,
    hash: baseImageHash(apt),
    build: async (docker, report) => {
      const archive = await baseImage(apt, report);
      await docker(['import', '--change', 'CMD ["bash"]', archive, labImages.base]);
    },
  };
  const nginx: ImageRecipe = {
    tag: labImages.nginxProxy,
    hash: recipeHash(base.hash, await hashFiles(imagesFolder, ['nginx-proxy'])),
    build: async (docker) =>
      build(docker, labImages.nginxProxy, labImages.base, join(imagesFolder, 'nginx-proxy')),
  };
  const node: ImageRecipe = {
    tag: labImages.node,
    hash: recipeHash(base.hash, await hashFiles(imagesFolder, ['node']), await nodeContextHash()),
    build: async (docker) => {
      const folder = await mkdtemp(join(tmpdir(), 'd2b-lab-node-'));
      try {
        await makeNodeContext(folder);
        const dockerfile = join(imagesFolder, 'node/Dockerfile');
        await build(docker, labImages.node, labImages.base, folder, dockerfile);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
  return [base, nginx, node];
}

/**
 * The image that the project's Dockerfile makes, under the tag that compose.example.yml gives it.
 *
 * @param compose docker compose, which reads that file
 * @param recipes those of the lab; one of them is its base
 */
export async function productRecipe(compose: string, recipes: readonly ImageRecipe[]): Promise<ImageRecipe> {
  const base = recipes.find((recipe) => recipe.tag === labImages.node)!;
  const tag = await productTag(compose);
  return {
    tag,
    hash: recipeHash(base.hash, await hashFiles(projectRoot, productInputs)),
    build: async (docker) => build(docker, tag, base.tag, projectRoot),
  };
}

async function productTag(compose: string): Promise<string> {
  const file = join(projectRoot, 'compose.example.yml');
  const { stdout } = await execa(compose, ['-f', file, 'config', '--format', 'json']);
  const { services }: { services: Record<string, { image?: string; build?: unknown }> } = JSON.parse(stdout);
  const built = Object.values(services).find((service) => service.build !== undefined);
  if (built?.image === undefined) throw new Error(`${file}: no service has both image and build`);
  return built.image;
}

async function build(
  docker: RunDocker,
  tag: string,
  base: string,
  context: string,
  dockerfile = join(context, 'Dockerfile'),
): Promise<void> {
  const proxies = proxyVariables.flatMap((name) => (process.env[name] ? ['--build-arg', name] : []));
  await docker(
    [
      'build',
      '--network',
      'host',
      '--tag',
      tag,
      '--build-arg',
      `BASE=${base}`,
      '--build-arg',
      `RUNTIME=${labImages.base}`,
      ...proxies,
      '--file',
      dockerfile,
      context,
    ],
    { env: { DOCKER_BUILDKIT: '0' } },
  );
}
