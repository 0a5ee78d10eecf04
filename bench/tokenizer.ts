/**
 * Our DNA tokenizer beside `@huggingface/tokenizers`: equal ids on 100,000 random sequences, then the speed at 500 bases.
 * `node dist/bench/tokenizer.js [--runs 5] [--sequences 100000] [tokenizer.json]`
 */
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { readDnaRules } from '../src/sequence/dna-rules.js';
import { createDnaTokenizer, createLibraryTokenizer } from '../src/sequence/tokenize-dna.js';
import type { Tokenizer } from '../src/sequence/tokenizer.js';
import { createRandom, randomSequences } from '../test/support/random-sequences.js';
import { type Cost, costOf, report, sideBySide } from './support/side-by-side.js';
import { round } from './support/figures.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '5' }, sequences: { type: 'string', default: '100000' } },
});
const file = positionals[0] ?? 'examples/models/dnabert2-tiny/tokenizer.json';
const json = JSON.parse(await readFile(file, 'utf8')) as object;
if (readDnaRules(json, {}) === undefined) throw new Error(`${file} is not of the kind that our tokenizer knows`);
const own = createDnaTokenizer(json, {});
const library = createLibraryTokenizer(json, {});

// Mostly of the lengths that occur; some up to the longest chunk.
const count = Number(values.sequences);
const long = Math.round(count / 50);
let bases = 0;
for (const sequences of [randomSequences(count - long, 1000, 2), randomSequences(long, 10_000, 3)]) {
  for (const sequence of sequences) {
    bases += sequence.length;
    if (!isDeepStrictEqual(own.encode(sequence), library.encode(sequence))) throw new Error(`differs: ${sequence}`);
  }
}
process.stderr.write(`${count} sequences, ${bases} bases: equal ids\n`);

const random = createRandom(4);
const ofCommonLength = Array.from({ length: 2000 }, () =>
  Array.from({ length: 500 }, () => 'ACGT'[Math.floor(4 * random())]).join(''),
);

/** Time for 2,000 sequences, from fewer of them where that takes long. */
function timed(tokenizer: Tokenizer, sequences: readonly string[]): () => Promise<Cost> {
  const scale = ofCommonLength.length / sequences.length;
  return async () => {
    const { seconds, cpuSeconds } = await costOf(async () =>
      sequences.forEach((sequence) => tokenizer.encode(sequence)),
    );
    return { seconds: scale * seconds, cpuSeconds: scale * cpuSeconds };
  };
}

const sides = {
  ours: timed(own, ofCommonLength),
  '@huggingface/tokenizers': timed(library, ofCommonLength.slice(0, 400)),
};
await sides.ours();
await sides['@huggingface/tokenizers']();
const rows = await sideBySide('2,000 sequences of 500 bases', Number(values.runs), sides);
for (const row of rows) row['sequences/s'] = round(ofCommonLength.length / Number(row['wall s']));
await report('tokenizer', rows, { equalIds: { sequences: count, bases } });
