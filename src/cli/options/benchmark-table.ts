import { DATA_SIZE_NAMES, SUITES } from '../benchmark/measurement.js';
import type { OptionTable, OptionValues } from './option-table.js';
import { JSON_OUTPUT, TEMPORAL_CLI, THREADS } from './shared-options.js';
import { numberWithin, oneOf, text, wholeNumber, yesOrNo } from './value-types.js';

const TINY = 'the tiny example';

/** Every option of `benchmark`. */
export const BENCHMARK_OPTIONS = {
  suite: { takes: '<suite>', help: 'what to measure', type: oneOf(...SUITES, 'all'), default: 'all' },
  dataSize: {
    takes: '<size>',
    help: '10, 100, 1,000 or 10,000 contigs',
    type: oneOf(...DATA_SIZE_NAMES),
    default: 'small',
  },
  quick: { help: 'one run of the tiny size: shows that it works', type: yesOrNo(), default: false },
  runs: {
    takes: '<n>',
    help: 'of each measurement; the median counts',
    type: wholeNumber({ min: 1, max: 1000 }),
    default: 3,
  },
  dnaModel: { takes: '<name|dir>', help: 'DNA encoder', type: text(), defaultText: TINY },
  proteinModel: { takes: '<name|dir>', help: 'protein encoder', type: text(), defaultText: TINY },
  modelPath: { short: '-p', takes: '<file>', help: 'classifier that fits both', type: text(), defaultText: TINY },
  threads: THREADS,
  outputDir: { short: '-o', takes: '<dir>', help: 'where reports go', type: text(), default: 'virnucpro_benchmarks' },
  compareTo: { takes: '<file>', help: 'a benchmark_*.json of before', type: text() },
  failAbove: {
    takes: '<percent>',
    help: 'how much worse a figure may be than before',
    type: numberWithin({ min: 0, max: 1e6 }),
    default: 10,
  },
  json: { ...JSON_OUTPUT, help: 'print the report as one JSON object' },
  temporalCli: TEMPORAL_CLI,
} as const satisfies OptionTable;

/** Checked options of `benchmark`. */
export type BenchmarkOptions = OptionValues<typeof BENCHMARK_OPTIONS>;
