import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { version } from '../../../src/version.js';

const exec = promisify(execFile);

/** A whole `npm ci` in a container, on a busy machine with a slow network. */
export const BUILD_MS = 900_000;

/** The target `cpu` of docker/Dockerfile, and a later build of it with another version. */
export interface Images {
  cpu: string;
  next: string;
  nextVersion: string;
}

let images: Promise<Images> | undefined;

/** Builds both, once for all tests of this process. VIRNUCPRO_TEST_BASE names another base than the Dockerfile's. */
export function buildImages(): Promise<Images> {
  return (images ??= build());
}

async function build(): Promise<Images> {
  const context = await mkdtemp(path.join(tmpdir(), 'virnucpro-image-'));
  const made = { cpu: 'virnucpro-test:cpu', next: 'virnucpro-test:next', nextVersion: `${version}-next` };
  try {
    await exec('npm', ['pack', '--pack-destination', context]);
    for (const file of ['package.json', 'package-lock.json']) await copyFile(file, path.join(context, file));
    const base = process.env['VIRNUCPRO_TEST_BASE'];
    await dockerBuild([
      ...['--file', 'docker/Dockerfile', '--target', 'cpu', '--tag', made.cpu],
      ...(base ? ['--build-arg', `BASE=${base}`] : []),
      ...(await secrets()),
      context,
    ]);
    const later = path.join(context, 'later');
    await writeFile(
      later,
      [
        `FROM ${made.cpu}`,
        'USER root',
        `RUN sed -i 's/"version": "${version}"/"version": "${made.nextVersion}"/' /opt/virnucpro/package.json`,
        'USER 10001:10001',
      ].join('\n'),
    );
    await dockerBuild(['--file', later, '--tag', made.next, context]);
    return made;
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

async function dockerBuild(args: string[]): Promise<void> {
  const env = { ...process.env, DOCKER_BUILDKIT: '1' };
  // The host's network, since an engine for tests has no default one.
  await exec('docker', ['build', '--network', 'host', ...args], { env, timeout: BUILD_MS, maxBuffer: 64 << 20 });
}

/** This machine's way to the npm registry, which no layer keeps. */
async function secrets(): Promise<string[]> {
  const config = async (name: string): Promise<string> =>
    (await exec('npm', ['config', 'get', name])).stdout.trim().split('\n').at(-1)!;
  const ca = process.env['NODE_EXTRA_CA_CERTS'] ?? (await config('cafile'));
  const files = { ca, npmrc: await config('userconfig') };
  return Object.entries(files).flatMap(([id, file]) => (existsSync(file) ? ['--secret', `id=${id},src=${file}`] : []));
}
