/**
 * int8 (or fp16, which a CPU only imitates) beside fp32: tokens a second in turns, how far the vectors are apart, and the
 * peak memory of a process that embeds. Fails when, in either precision, a sequence has other bits among others than alone;
 * says whether 2 threads give the bits of 1.
 * `node dist/bench/precision.js [--runs 5] [--sequences 16] [--threads 2] [--precision int8] [--models FOLDER] [NAME...]`
 */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Precision } from '../src/contract/models.js';
import { Embedder, type EmbedderOptions } from '../src/inference/embedder.js';
import { compare } from '../src/inference/verify-model.js';
import { cacheFolderPath } from '../src/io/user-folders.js';
import { createRandom } from '../test/support/random-sequences.js';
import { threadsGiveSameBits } from './support/bit-law.js';
import { peakMemoryOf } from './support/peak-memory.js';
import { makeModel } from './support/random-models.js';
import { costOf, report, type Row, sideBySide } from './support/side-by-side.js';
import { round } from './support/figures.js';

/** As VirNucPro makes them. */
const RESIDUES = 166;
const BASES = 500;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    sequences: { type: 'string', default: '16' },
    threads: { type: 'string', default: String(availableParallelism()) },
    precision: { type: 'string', default: 'int8' },
    models: { type: 'string', default: path.join(cacheFolderPath(), 'bench-models') },
  },
});
const names = positionals.length > 0 ? positionals : ['dnabert2-117m', 'esm2-35m', 'esm2-150m'];
const threads = Number(values.threads);

const rows: Row[] = [];
for (const name of names) rows.push(...(await compareAt(name)));
await report('precision', rows, { threads, sequences: Number(values.sequences) });

async function compareAt(name: string): Promise<Row[]> {
  const model = await makeModel(values.models, name);
  const isDna = name.startsWith('dnabert');
  const sequences = randomSequences(
    Number(values.sequences),
    isDna ? BASES : RESIDUES,
    isDna ? 'ACGT' : 'ACDEFGHIKLMNPQRSTVWY',
  );
  const options = (precision: Precision): EmbedderOptions => ({
    model,
    precision,
    // Reduced weights of random models are nothing for the user's cache.
    cacheDir: path.join(values.models, 'cache'),
    threads,
  });
  const embedders: Record<string, Embedder> = {};
  const vectors: Record<string, Float32Array> = {};
  let tokens = 0;
  // Ours, which the others are compared with, comes first: the precision that is asked about.
  const order = [values.precision as Precision, 'fp32'] as const;
  try {
    for (const precision of order) {
      embedders[precision] = await Embedder.open(options(precision));
      vectors[precision] = await embedders[precision].embed(sequences, { onProgress: (p) => (tokens = p.tokens) });
    }
    const sides = Object.fromEntries(
      Object.entries(embedders).map(([side, embedder]) => [side, () => costOf(() => embedder.embed(sequences))]),
    );
    const rows = await sideBySide(name, Number(values.runs), sides);
    for (const [i, precision] of order.entries()) {
      const { hidden, loadSeconds } = embedders[precision]!.facts;
      const apart = sequences.map((_, n) => {
        const row = (all: Float32Array): Float32Array => all.subarray(n * hidden, (n + 1) * hidden);
        return compare(`${n}`, row(vectors[precision]!), row(vectors['fp32']!)).cosine;
      });
      Object.assign(rows[i]!, {
        'tokens/s': round(tokens / Number(rows[i]!['wall s'])),
        'cosine with fp32, mean': apart.reduce((a, b) => a + b) / apart.length,
        worst: Math.min(...apart),
        'same bits with 1 and 2 threads': (await threadsGiveSameBits(options(precision), sequences)) ? 'yes' : 'no',
        'peak MB': Math.round(await peakMemoryOf(options(precision), sequences)),
      });
      process.stderr.write(`${name}, ${precision}: loaded in ${loadSeconds.toFixed(1)} s\n`);
    }
    return rows;
  } finally {
    for (const embedder of Object.values(embedders)) await embedder.close();
  }
}

function randomSequences(count: number, length: number, letters: string): string[] {
  const random = createRandom(1);
  return Array.from({ length: count }, () =>
    Array.from({ length }, () => letters[Math.floor(letters.length * random())]!).join(''),
  );
}
