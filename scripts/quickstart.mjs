/**
 * From a fresh clone to a first result: sets everything up, predicts the example contigs with tiny synthetic models
 * through the embedded Temporal, and shows what came out. Any number of times.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import './setup.mjs';

const OUTPUT = 'examples/contigs_predictions';
const COMMAND = [
  'predict',
  'examples/contigs.fa',
  ...['--output-dir', OUTPUT],
  ...['--dna-model', 'examples/models/dnabert2-tiny'],
  ...['--protein-model', 'examples/models/esm2-tiny'],
  ...['--model-path', 'examples/models/classifier-tiny/tiny.safetensors'],
];

console.log(`$ npx virnucpro ${COMMAND.join(' ')}\n`);
// With --force the run starts anew even where it was done before.
const { status } = spawnSync(process.execPath, ['dist/src/cli/main.js', ...COMMAND, '--force'], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (status !== 0) process.exit(status ?? 1);

show('Frames: every open reading frame with its scores', 'contigs_merged/prediction_results.txt');
show('Chunks: their highest scores', 'contigs_merged/prediction_results_highestscore.csv');
show('Contigs: what became of each', 'accounting.tsv');

console.log(`
THE CALLS ABOVE MEAN NOTHING: the models under examples/models are synthetic, their weights are random numbers.
README.md ("Your own data") says how to get and use the real ones.

See the finished run in the Temporal UI: npx virnucpro server start, then open the link printed above.`);

/** Prints the head of a result table with its columns lined up. */
function show(title, name) {
  const file = `${OUTPUT}/${name}`;
  const [header, ...rows] = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  const head = [header, ...rows.slice(0, 4)];
  const widths = header.map((_, column) => Math.max(...head.map((row) => row[column].length)));
  console.log(`\n${title} (${file}, ${rows.length} rows)`);
  for (const row of head)
    console.log(
      `  ${row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd()}`,
    );
}
