import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { RUNTIME } from '../inference/ort-backend.js';
import { writeText } from '../io/tables.js';
import { cacheFolderPath } from '../io/user-folders.js';
import { resolveModel } from '../model/catalogue.js';
import { openCheckpoint } from '../model/checkpoint/open.js';
import { encoderDigest, weightsDigest } from '../model/content-digest.js';
import { openModel } from '../model/model.js';
import { sdkVersion, version } from '../version.js';
import {
  assertComparable,
  changeText,
  compareReports,
  type Comparison,
  comparisonMarkdown,
  type Measured,
} from './benchmark/compare.js';
import { encoders } from './benchmark/encoders.js';
import { frontEnd } from './benchmark/front-end.js';
import { thisMachine } from './benchmark/machine.js';
import {
  type Bench,
  DATA_SIZES,
  type Measurement,
  type RunSuite,
  type Suite,
  SUITES,
} from './benchmark/measurement.js';
import { pool } from './benchmark/pool.js';
import { precision } from './benchmark/precision.js';
import { predict } from './benchmark/predict.js';
import { type BenchmarkReport, figure, readReport, reportMarkdown } from './benchmark/report.js';
import { chooseClassifier } from './model-type.js';
import type { BenchmarkOptions } from './options/benchmark-table.js';
import { makeOutputFolder } from './output-folder.js';
import { interruption } from './run.js';
import { median } from './statistics.js';
import { textTable } from './text-table.js';

const RUN: Record<Suite, RunSuite> = { 'front-end': frontEnd, encoders, precision, predict, pool };

const EXAMPLES = fileURLToPath(new URL('../../../examples/models/', import.meta.url));

/**
 * Runs suites, writes `benchmark_<time>.json` and `.md`, and, with an earlier report, `comparison_<time>.md`. Sets exit
 * code 1 when a figure is worse than before by more than is allowed.
 * @throws OptionError, ModelError, InputError, RunFailed, StorageError; Interrupted.
 */
export async function benchmark(options: BenchmarkOptions): Promise<void> {
  const before = options.compareTo === undefined ? undefined : await readReport(options.compareTo);
  const models = await modelsOf(options);
  const { threads, temporalCli } = options;
  const dataSize = options.quick ? 'tiny' : options.dataSize;
  const measured: Measured = { dataSize, threads, models: await digestsOf(models) };
  const suites = SUITES.filter((suite) => options.suite === 'all' || options.suite === suite);
  if (before !== undefined) assertComparable(before, measured, suites);
  const outputDir = await makeOutputFolder(options.outputDir);
  const signal = interruption();
  const load = loadavg()[0]!;
  const dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-benchmark-'));
  const results: Measurement[] = [];
  try {
    const runs = options.quick ? 1 : options.runs;
    const bench: Bench = { size: DATA_SIZES[dataSize], runs, threads, models, temporalCli, dir, signal };
    for (const suite of suites) {
      process.stderr.write(`${suite} ...\n`);
      results.push(...(await RUN[suite](bench)));
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  const report: BenchmarkReport = {
    tool: 'virnucpro-temporal',
    created: new Date().toISOString(),
    machine: thisMachine(),
    versions: {
      'virnucpro-temporal': version,
      node: process.versions.node,
      onnxruntime: RUNTIME,
      temporalSdk: sdkVersion,
    },
    ...measured,
    load: [load, loadavg()[0]!],
    results,
  };
  const comparison = before && compareReports(before, report, options.failAbove);
  const files = await write(outputDir, report, comparison);
  console.log(options.json ? JSON.stringify({ ...report, comparison }) : summary(report, comparison, files));
  if (comparison !== undefined && comparison.regressions.length > 0) process.exitCode = 1;
}

async function modelsOf({ dnaModel, proteinModel, modelPath }: BenchmarkOptions): Promise<Bench['models']> {
  const dna = await resolveModel(dnaModel ?? path.join(EXAMPLES, 'dnabert2-tiny'), process.env);
  const protein = await resolveModel(proteinModel ?? path.join(EXAMPLES, 'esm2-tiny'), process.env);
  const tiny = path.join(EXAMPLES, 'classifier-tiny', 'tiny.safetensors');
  const { classifier } = await chooseClassifier({
    modelPath: modelPath ?? tiny,
    modelType: undefined,
    expectedLength: undefined,
  });
  return { dna: path.resolve(dna.path), protein: path.resolve(protein.path), classifier };
}

async function digestsOf({ dna, protein, classifier }: Bench['models']): Promise<BenchmarkReport['models']> {
  const cacheDir = cacheFolderPath();
  return {
    dna: await encoderDigest(await openModel(dna, cacheDir), cacheDir),
    protein: await encoderDigest(await openModel(protein, cacheDir), cacheDir),
    classifier: await weightsDigest(await openCheckpoint(classifier), cacheDir),
  };
}

async function write(dir: string, report: BenchmarkReport, comparison: Comparison | undefined): Promise<string[]> {
  const time = report.created.slice(0, 19).replace(/[-:]/g, '').replace('T', '_');
  const texts = {
    [`benchmark_${time}.json`]: `${JSON.stringify(report, null, 2)}\n`,
    [`benchmark_${time}.md`]: reportMarkdown(report),
    ...(comparison && { [`comparison_${time}.md`]: comparisonMarkdown(comparison) }),
  };
  const files: string[] = [];
  for (const [name, text] of Object.entries(texts)) {
    files.push((await writeText(path.join(dir, name), [text])).path);
  }
  return files;
}

function summary({ results }: BenchmarkReport, comparison: Comparison | undefined, files: readonly string[]): string {
  const changeOf = ({ suite, name }: Measurement): string[] => {
    const change = comparison?.changes.find((one) => one.name === `${suite}: ${name}`);
    return change === undefined ? [] : [changeText(change)];
  };
  const head = ['SUITE', 'WHAT', 'MEDIAN', 'UNIT', ...(comparison === undefined ? [] : ['SINCE'])];
  const rows = results.map((one) => [one.suite, one.name, figure(median(one.runs)), one.unit, ...changeOf(one)]);
  const regressions = comparison?.regressions.length ?? 0;
  return [
    textTable([head, ...rows.map((row) => head.map((_, i) => row[i] ?? ''))]),
    '',
    ...(comparison?.notes ?? []).map((note) => `! ${note}`),
    ...(regressions > 0 ? [`! ${regressions} of ${comparison!.changes.length} figures are worse than allowed`] : []),
    ...files,
  ].join('\n');
}
