import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

interface Manifest {
  version: string;
}

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Manifest;

/** This package's version, as in package.json. */
export const version = manifest.version;

/** The version of every @temporalio package. */
export const sdkVersion = (createRequire(import.meta.url)('@temporalio/common/package.json') as Manifest).version;
