import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { RunFailed } from '../../contract/failures.js';
import { PROVENANCE, type Provenance, provenanceSchema } from '../../io/provenance.js';
import { contigLength, createRandom, madeUpContig } from '../made-up/contigs.js';
import type { Bench } from './measurement.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** Made-up contigs, as many as the size has, in a FASTA file. Returns its path. */
export async function writeContigs({ dir, size }: Bench): Promise<string> {
  const file = path.join(dir, 'predict.fa');
  const random = createRandom(3);
  const contigs = Array.from(
    { length: size.contigs },
    (_, i) => `>contig_${i + 1}\n${madeUpContig(contigLength(random), random)}\n`,
  );
  await writeFile(file, contigs.join(''));
  return file;
}

/**
 * Runs `virnucpro predict` as a user does, with a server and an agent of its own and nothing left of earlier runs.
 * @param more options of predict.
 * @returns the record of what it did.
 * @throws RunFailed with what it said, when it fails; the signal's reason.
 */
export async function runPredict(
  { models, threads, temporalCli, dir, signal }: Bench,
  input: string,
  more: readonly string[] = [],
): Promise<Provenance> {
  const outputDir = path.join(dir, 'predictions');
  await rm(outputDir, { recursive: true, force: true });
  const options = ['-o', outputDir, '-p', models.classifier, '-t', String(threads), ...more];
  const encoders = ['--dna-model', models.dna, '--protein-model', models.protein];
  const cli = temporalCli === undefined ? [] : ['--temporal-cli', temporalCli];
  const child = spawn(process.execPath, [MAIN, 'predict', input, ...options, ...encoders, ...cli], {
    env: { ...process.env, VIRNUCPRO_STATE_DIR: path.join(dir, 'state') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop);
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(-2000)));
  const [code] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (code !== 0) {
    throw new RunFailed('BenchmarkFailed', {
      what: `predict ended with exit code ${code}: ${said.trim()}`,
      next: 'Try the same predict by itself',
    });
  }
  return provenanceSchema.parse(JSON.parse(await readFile(path.join(outputDir, PROVENANCE), 'utf8')));
}
