/**
 * From a fresh clone to a first result: sets everything up, predicts the example contigs with tiny synthetic models
 * through the embedded Temporal, and shows what came out. Any number of times.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import './setup.mjs';

const OUTPUT = 'examples/contigs_predictions';
const COMMAND = [
  'predict examples/contigs.fa',
  `--output-dir ${OUTPUT}`,
  '--dna-model examples/models/dnabert2-tiny',
  '--protein-model examples/models/esm2-tiny',
  '--model-path examples/models/classifier-tiny/tiny.safetensors',
  '--expected-length 500',
];

console.log(`$ npx virnucpro ${COMMAND.join(' \\\n    ')}\n`);
// With --force the run starts anew even where it was done before.
const { status } = spawnSync(process.execPath, ['dist/src/cli/main.js', ...COMMAND.join(' ').split(' '), '--force'], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (status !== 0) process.exit(status ?? 1);

console.log(`\nThe first rows of three result tables in ${OUTPUT}/:`);
show('contigs_merged/prediction_results.txt', 'a row per open reading frame', { to: 4 });
show('contigs_merged/prediction_results_highestscore.csv', 'a row per chunk', { to: 4 });
show('accounting.tsv', 'a row per contig: what became of it; here the last ones', {
  from: -4,
  columns: ['contig', 'length', 'status', 'reason', 'chunks', 'chunks_called'],
});

console.log(`
THE CALLS ABOVE MEAN NOTHING: these models are synthetic, their weights are random
numbers. README.md, "Your own data", says how to get and use the real ones.

To look at the finished run in the Temporal UI:
  npx virnucpro server start      and open the link at the top of this output`);

/** Prints some rows and columns of a result table, lined up. */
function show(name, title, { from = 0, to, columns }) {
  const lines = readFileSync(`${OUTPUT}/${name}`, 'utf8').trimEnd().split('\n');
  const [header, ...rows] = lines.map((line) => line.split('\t'));
  const kept = (columns ?? header).map((column) => header.indexOf(column));
  const table = [header, ...rows.slice(from, to)].map((row) => kept.map((column) => row[column]));
  const widths = kept.map((_, column) => Math.max(...table.map((row) => row[column].length)));
  console.log(`\n${name} (${rows.length} rows, ${title})`);
  for (const row of table) {
    const line = row.map((cell, i) => cell.padEnd(widths[i])).join('  ');
    console.log(`  ${line.trimEnd()}`);
  }
}
