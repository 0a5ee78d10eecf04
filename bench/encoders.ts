/**
 * `virnucpro embed` beside its peers on the CPU: equal random weights, equal sequences, one process with all cores each.
 * `node dist/bench/encoders.js ROW... [--runs 5] [--models FOLDER]`; without a ROW it names them.
 *
 * A side embeds in a process of its own each time; what is timed is the embedding, tokenization included, without start
 * and load. The `start` rows time whole processes that embed one sequence.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { RUNTIME } from '../src/inference/ort-backend.js';
import { compare } from '../src/inference/verify-model.js';
import { readEmbeddings } from '../src/io/embeddings-file.js';
import { cacheFolderPath } from '../src/io/user-folders.js';
import { createRandom } from '../test/support/random-sequences.js';
import { measureCommand, peerPython } from './support/peer-python.js';
import { makeModel } from './support/random-models.js';
import { type Cost, report, sideBySide, type Sides } from './support/side-by-side.js';
import { median, round } from './support/figures.js';

const PACKAGES = [
  'torch==2.15.0',
  'transformers==5.23.0',
  'fair-esm==2.0.0',
  'esm-cpp==0.2.1',
  'safetensors==0.8.0',
  'numpy==1.26.4',
];

/** What VirNucPro makes of chunks of 500 bases. */
const RESIDUES = 166;
const BASES = 500;

/** Largest relative error between two fp32 vectors: both round, in different orders. */
const SAME = 1e-4;

/** Least cosine of two vectors of which one was computed in bf16 or int8. */
const ALIKE = 0.99;

type Precision = 'fp32' | 'bf16' | 'int8';

interface Peer {
  /** Its module in bench/peers. */
  module: string;
  precision: Precision;
  /** Sequences of a call. */
  batch: number;
  /** Of the row's sequences, where it is slow. */
  sequences?: number;
}

interface Row {
  model: string;
  precision: Precision;
  /** That a run embeds: some 3 to 10 s of work on two cores. */
  sequences: number;
  peers: Record<string, Peer>;
  /** Whole processes are compared. */
  start?: boolean;
}

/** As many as the original's 2,048 tokens a call hold. */
const BATCH = 12;

const fp32 = (model: string, sequences: number): Row => ({
  model,
  precision: 'fp32',
  sequences,
  peers: {
    'fair-esm': { module: 'esm2_fair', precision: 'fp32', batch: BATCH },
    transformers: { module: 'esm2_transformers', precision: 'fp32', batch: BATCH },
  },
});
const int8 = (model: string, sequences: number): Row => ({
  model,
  precision: 'int8',
  sequences,
  peers: { 'transformers bf16': { module: 'esm2_transformers', precision: 'bf16', batch: BATCH } },
});
// By itself, since a sequence takes it minutes without AMX.
const cpp = (model: string, sequences: number): Row => ({
  model,
  precision: 'int8',
  sequences,
  peers: { 'esm-cpp int8': { module: 'esm2_cpp', precision: 'int8', batch: BATCH, sequences: 1 } },
});
const dnabert2 = (precision: Precision, sequences: number): Row => ({
  model: 'dnabert2-117m',
  precision,
  sequences,
  peers: { 'PyTorch, one a call': { module: 'dnabert2', precision: 'fp32', batch: 1 } },
});
const ROWS: Readonly<Record<string, Row>> = {
  'esm2-35m': fp32('esm2-35m', 48),
  'esm2-150m': fp32('esm2-150m', 24),
  'esm2-650m': fp32('esm2-650m', 12),
  'dnabert2-117m': dnabert2('fp32', 48),
  'esm2-35m-int8': int8('esm2-35m', 48),
  'esm2-150m-int8': int8('esm2-150m', 24),
  'esm2-650m-int8': int8('esm2-650m', 12),
  'esm2-35m-int8-cpp': cpp('esm2-35m', 48),
  'esm2-150m-int8-cpp': cpp('esm2-150m', 24),
  'esm2-650m-int8-cpp': cpp('esm2-650m', 12),
  'dnabert2-117m-int8': dnabert2('int8', 48),
  'esm2-650m-start': {
    model: 'esm2-650m',
    precision: 'fp32',
    sequences: 1,
    start: true,
    peers: { transformers: { module: 'esm2_transformers', precision: 'fp32', batch: 1 } },
  },
};

/** What one side's process says about its run. */
interface Run {
  cost: Cost;
  tokens: number;
  loadSeconds: number;
  vectors: Float32Array;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    models: { type: 'string', default: path.join(cacheFolderPath(), 'bench-models') },
  },
});
if (positionals.length === 0 || positionals.some((name) => ROWS[name] === undefined)) {
  throw new Error(`name rows of these: ${Object.keys(ROWS).join(', ')}`);
}
const python = await peerPython(PACKAGES);
const dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-bench-'));
// Reduced weights of random models are nothing for the user's cache.
const env = { ...process.env, VIRNUCPRO_CACHE_DIR: path.join(values.models, 'cache') };
try {
  for (const name of positionals) await measureRow(name, ROWS[name]!);
} finally {
  await rm(dir, { recursive: true });
}

async function measureRow(name: string, row: Row): Promise<void> {
  await mkdir(values.models, { recursive: true });
  const model = await makeModel(values.models, row.model);
  const sequences = randomSequences(row);
  const last: Record<string, Run> = {};
  const loads: Record<string, number[]> = {};
  const side = (sideName: string, count: number, work: (fasta: string) => Promise<Run>) => async (): Promise<Cost> => {
    const fasta = path.join(dir, `${name}-${count}.fa`);
    await writeFile(
      fasta,
      sequences
        .slice(0, count)
        .map((sequence, i) => `>s${i}\n${sequence}\n`)
        .join(''),
    );
    const run = await work(fasta);
    last[sideName] = run;
    (loads[sideName] ??= []).push(run.loadSeconds);
    const share = count / sequences.length;
    const { seconds, cpuSeconds } = run.cost;
    return { ...run.cost, seconds: seconds / share, cpuSeconds: cpuSeconds / share };
  };
  const sides: Sides = { ours: side('ours', sequences.length, (fasta) => embedOurs(model, row, fasta)) };
  for (const [peerName, peer] of Object.entries(row.peers)) {
    sides[peerName] = side(peerName, peer.sequences ?? sequences.length, (fasta) =>
      embedTheirs(model, row, peer, fasta),
    );
  }
  const rows = await sideBySide(name, Number(values.runs), sides);
  const differences = Object.fromEntries(
    Object.entries(row.peers).map(([peerName, peer]) => {
      const count = peer.sequences ?? sequences.length;
      const compared = compareRuns(last['ours']!, last[peerName]!, { count, of: sequences.length });
      const isExact = row.precision === 'fp32' && peer.precision === 'fp32';
      const isSame = isExact ? compared.worst <= SAME : compared.cosine >= ALIKE;
      if (!isSame) throw new Error(`${peerName} computes other vectors: ${JSON.stringify(compared)}`);
      return [peerName, compared];
    }),
  );
  const { tokens } = last['ours']!;
  const least = ({ costs }: (typeof rows)[number]): number => Math.min(...costs.map(({ seconds }) => seconds));
  for (const one of rows) {
    const sideName = String(one['side']);
    const { batch = BATCH, sequences: count = sequences.length } = row.peers[sideName] ?? {};
    if (sideName !== 'ours') one['sequences a call'] = Math.min(batch, count);
    // Of the run that others disturbed least.
    one['least s'] = round(least(one));
    one['x least'] = round(least(one) / least(rows[0]!));
    one['load s'] = round(median(loads[sideName]!));
    if (row.start !== true) one['tokens/s'] = round(tokens / Number(one['wall s']));
  }
  await report(`encoders-${name}`, rows, {
    work: { model: row.model, sequences: sequences.length, tokens },
    runtime: RUNTIME,
    peers: Object.fromEntries(PACKAGES.map((each) => each.split('=='))),
    settings: row.peers,
    differences,
  });
}

async function embedOurs(model: string, row: Row, fasta: string): Promise<Run> {
  const output = path.join(dir, 'ours.arrow');
  const command = ['dist/src/cli/main.js', 'embed', fasta, '-m', model, '-o', output, '--json'];
  const reduced = row.precision === 'fp32' ? [] : ['--precision', row.precision];
  const measured = await measureCommand(python, [process.execPath, ...command, ...reduced], env);
  const done = JSON.parse(measured.output) as Record<string, number>;
  const { vectors } = await readEmbeddings(output);
  return toRun(row, measured.cost, vectors, {
    seconds: done['run_seconds']!,
    cpuSeconds: done['run_cpu_seconds']!,
    loadSeconds: done['load_seconds']!,
    tokens: done['tokens']!,
  });
}

async function embedTheirs(model: string, row: Row, peer: Peer, fasta: string): Promise<Run> {
  const output = path.join(dir, 'theirs.f32');
  const { module, precision, batch } = peer;
  const options = ['--batch', String(batch), '--precision', precision];
  const command = ['bench/peers/embed.py', module, model, fasta, output, ...options];
  const measured = await measureCommand(python, [python, ...command], env);
  const { buffer, byteOffset, byteLength } = await readFile(output);
  const vectors = new Float32Array(buffer, byteOffset, byteLength / 4);
  return toRun(row, measured.cost, vectors, JSON.parse(measured.output) as Timing);
}

/** What a side's process says it took: the embedding alone, and its load. */
interface Timing {
  seconds: number;
  cpuSeconds: number;
  loadSeconds: number;
  tokens: number;
}

function toRun(row: Row, whole: Required<Cost>, vectors: Float32Array, timing: Timing): Run {
  const { seconds, cpuSeconds, loadSeconds, tokens } = timing;
  const cost = row.start === true ? whole : { seconds, cpuSeconds, peakMB: whole.peakMB };
  return { cost, tokens, loadSeconds, vectors };
}

/**
 * Our vectors of the first `count` of `of` sequences beside a peer's: the largest relative error and the least cosine.
 * @throws Error when the peer has other numbers of vectors or tokens.
 */
function compareRuns(
  ours: Run,
  theirs: Run,
  { count, of }: { count: number; of: number },
): { worst: number; cosine: number } {
  const hidden = ours.vectors.length / of;
  // All sequences are of one length, but DNA's tokens are not of one.
  const sameTokens = count < of || theirs.tokens === ours.tokens;
  if (theirs.vectors.length !== count * hidden || !sameTokens) {
    throw new Error(`${theirs.vectors.length} numbers of ${theirs.tokens} tokens, not ${count} x ${hidden}`);
  }
  const row = ({ vectors }: Run, i: number): Float32Array => vectors.subarray(i * hidden, (i + 1) * hidden);
  const compared = Array.from({ length: count }, (_, i) => compare(`${i}`, row(theirs, i), row(ours, i)));
  return {
    worst: Math.max(...compared.map(({ relativeError }) => relativeError)),
    cosine: Math.min(...compared.map((one) => one.cosine)),
  };
}

function randomSequences({ model, sequences }: Row): string[] {
  const random = createRandom(11);
  const [letters, length] = model.startsWith('esm2') ? ['ACDEFGHIKLMNPQRSTVWY', RESIDUES] : ['ACGT', BASES];
  const letter = (): string => letters[Math.floor(letters.length * random())]!;
  return Array.from({ length: sequences }, () => Array.from({ length }, letter).join(''));
}
