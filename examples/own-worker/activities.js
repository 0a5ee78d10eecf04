// This project's own steps. They share the worker with VirNucPro's, whose names all start with `virnucpro.`.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Before VirNucPro: keeps the contigs of at least `minLength` bases. */
export async function keepLongContigs({ input, output, minLength }) {
  const records = (await readFile(input, 'utf8')).split(/^>/m).slice(1);
  const long = records.filter((record) => basesOf(record) >= minLength);
  await mkdir(path.dirname(output), { recursive: true });
  await writeFile(output, long.map((record) => `>${record}`).join(''));
  return { kept: long.length, dropped: records.length - long.length };
}

/** After VirNucPro: the ids of contigs with a viral window, one a line. Rows are windows, named `<contig>_chunk_<n>`. */
export async function listViralContigs({ table, output }) {
  const rows = (await readFile(table, 'utf8')).trimEnd().split('\n').slice(1);
  const viral = rows.map((row) => row.split('\t')).filter(([, isVirus]) => isVirus === 'True');
  const contigs = [...new Set(viral.map(([window]) => window.replace(/_chunk_\d+$/, '')))];
  await writeFile(output, contigs.map((contig) => `${contig}\n`).join(''));
  return contigs;
}

function basesOf(record) {
  return record.split('\n').slice(1).join('').length;
}
