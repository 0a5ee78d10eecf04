import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { thisMachine } from '../../src/cli/benchmark/machine.js';
import { RUNTIME } from '../../src/inference/ort-backend.js';
import { sdkVersion, version } from '../../src/version.js';
import { temporalCli } from '../../test/support/temporal-cli.js';
import { commit } from './commit.js';
import { round } from './figures.js';

/** One line of a benchmark's table. */
export type Row = Record<string, string | number>;

/** What a benchmark is given to work with. */
export interface Bench {
  /** Quick: shows that the benchmark works, its figures are for nobody. */
  small: boolean;
  /** Files that the command line names. */
  files: string[];
  /** A folder of its own, removed at the end. */
  dir: string;
  /** Adds a line to the table. */
  row(row: Row): void;
}

/**
 * Runs one benchmark as its command line says: `[--small] [FILE...]`. Prints its table; a full run also keeps it, with the
 * machine, the versions and the load that it was measured under, as `bench/results/<name>.json`.
 */
export async function benchmark(name: string, work: (bench: Bench) => Promise<void>): Promise<void> {
  const { values, positionals: files } = parseArgs({
    allowPositionals: true,
    options: { small: { type: 'boolean', default: false } },
  });
  if (temporalCli === undefined) throw new Error('no Temporal CLI here: run `virnucpro server install`');
  const dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-bench-'));
  const measured = { name, ...facts(), date: new Date().toISOString() };
  const rows: Row[] = [];
  const row = (one: Row): void => {
    rows.push({ ...one, 'load (1 min)': round(loadavg()[0]!) });
    process.stderr.write(`${JSON.stringify(one)}\n`);
    // Row by row: one that is stopped leaves what it has measured.
    if (!values.small)
      writeFileSync(`bench/results/${name}.json`, `${JSON.stringify({ ...measured, rows }, null, 2)}\n`);
  };
  try {
    await work({ small: values.small, files, dir, row });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  console.table(rows);
}

function facts(): object {
  return {
    machine: thisMachine(),
    versions: {
      'virnucpro-temporal': version,
      commit: commit(),
      node: process.versions.node,
      onnxruntime: RUNTIME,
      temporalSdk: sdkVersion,
      temporalCli: execFileSync(temporalCli!, ['--version'], { encoding: 'utf8' }).trim(),
    },
  };
}
