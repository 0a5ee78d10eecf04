import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { RunFailed } from '../../contract/failures.js';
import { STAGES, type Stage } from '../../contract/stages.js';
import { PROVENANCE, type Provenance, provenanceSchema } from '../../io/provenance.js';
import { contigLength, createRandom, madeUpContig } from '../made-up/contigs.js';
import { type Bench, type Measurement, repeat } from './measurement.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** `virnucpro predict` as a user calls it, with a server and an agent of its own: start to last file. */
export async function predict(bench: Bench): Promise<Measurement[]> {
  const input = path.join(bench.dir, 'predict.fa');
  await writeContigs(input, bench.size.contigs);
  const outputDir = path.join(bench.dir, 'predictions');
  const figures = await repeat(bench, async () => {
    await rm(outputDir, { recursive: true, force: true });
    const startedAt = performance.now();
    await runPredict(bench, input, outputDir);
    const seconds = (performance.now() - startedAt) / 1000;
    const { lanes } = provenanceSchema.parse(JSON.parse(await readFile(path.join(outputDir, PROVENANCE), 'utf8')));
    const of = (stage: Stage): typeof lanes => lanes.filter((lane) => lane.stage === stage);
    return {
      seconds,
      'dnabert-s tokens/s': speed(of('dnabert-s')),
      'dnabert-s MB': peak(of('dnabert-s')),
      'esm-2 tokens/s': speed(of('esm-2')),
      'esm-2 MB': peak(of('esm-2')),
    };
  });
  const suite = 'predict';
  return [
    { suite, name: 'whole command', unit: 's', better: 'lower', runs: figures.seconds },
    ...STAGES.flatMap((stage): Measurement[] => [
      { suite, name: `${stage} lane`, unit: 'tokens/s', better: 'higher', runs: figures[`${stage} tokens/s`] },
      { suite, name: `${stage} lane, peak memory`, unit: 'MB', better: 'lower', runs: figures[`${stage} MB`] },
    ]),
  ];
}

/** Tokens a second of the time that lanes spent in model calls. */
function speed(lanes: Provenance['lanes']): number {
  const sum = (of: 'tokens' | 'busySeconds'): number => lanes.reduce((total, lane) => total + lane[of], 0);
  return sum('tokens') / sum('busySeconds');
}

/** The most memory that a lane's process had, in MB. */
function peak(lanes: Provenance['lanes']): number {
  return Math.max(...lanes.map(({ peakBytes = NaN }) => peakBytes)) / 1e6;
}

async function writeContigs(file: string, count: number): Promise<void> {
  const random = createRandom(3);
  const contigs = Array.from(
    { length: count },
    (_, i) => `>contig_${i + 1}\n${madeUpContig(contigLength(random), random)}\n`,
  );
  await writeFile(file, contigs.join(''));
}

/** @throws RunFailed with what it said, when it fails. */
async function runPredict(
  { models, threads, temporalCli, dir, signal }: Bench,
  input: string,
  outputDir: string,
): Promise<void> {
  const options = ['-o', outputDir, '-p', models.classifier, '-t', String(threads)];
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
  if (code === 0) return;
  throw new RunFailed('BenchmarkFailed', {
    what: `predict ended with exit code ${code}: ${said.trim()}`,
    next: 'Try the same predict by itself',
  });
}
