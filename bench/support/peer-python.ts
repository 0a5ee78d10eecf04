import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { cacheFolderPath } from '../../src/io/user-folders.js';
import type { Cost } from './side-by-side.js';

const run = promisify(execFile);

/**
 * A Python environment of the benchmarks' own, in the cache folder, made when it is first asked for.
 * @param packages with their versions, as pip takes them.
 * @returns the environment's `python`.
 */
export async function peerPython(packages: readonly string[]): Promise<string> {
  const key = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 8);
  const folder = path.join(cacheFolderPath(), `bench-python-${key}`);
  const python = path.join(folder, 'bin', 'python');
  const ready = path.join(folder, 'ready');
  if (existsSync(ready)) return python;
  await rm(folder, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', folder]);
  await run(python, ['-m', 'pip', 'install', '--quiet', ...packages]);
  await writeFile(ready, '');
  return python;
}

/** What a command took, all its processes counted, and what it wrote to its standard output. */
export async function measureCommand(
  python: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ cost: Required<Cost>; output: string }> {
  const { stdout } = await run(python, ['bench/peers/measure.py', ...command], { env });
  const { output, ...cost } = JSON.parse(stdout) as Required<Cost> & { output: string };
  return { cost, output };
}
