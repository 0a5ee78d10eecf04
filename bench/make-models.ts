/**
 * Writes checkpoints of real sizes with random weights, for benchmarks: `make-models FOLDER [NAME...]`. They load and
 * compute like the real ones, and their vectors mean nothing. The same seed gives the same bytes.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { MODEL_NAMES, makeModel } from './support/random-models.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' } },
});
const [folder, ...names] = positionals;
if (folder === undefined) {
  console.error(`usage: node dist/bench/make-models.js FOLDER [NAME...] [--seed N]\nnames: ${MODEL_NAMES.join(', ')}`);
  process.exit(2);
}
for (const name of names.length > 0 ? names : MODEL_NAMES) {
  const made = await makeModel(folder, name, Number(values.seed));
  console.log(
    `${path.relative('.', made)}  ${((await stat(path.join(made, 'model.safetensors'))).size / 1e6).toFixed(0)} MB`,
  );
}
