import { availableParallelism } from 'node:os';
import { Command, Option } from 'commander';
import { DATA_SIZES, SUITES } from './benchmark/measurement.js';
import { OptionError } from '../contract/failures.js';
import { ExitWith } from './run.js';
import { wholeNumber } from './whole-number.js';

/** Parsed options of `benchmark`. */
export interface BenchmarkOptions {
  suite: (typeof SUITES)[number] | 'all';
  dataSize: keyof typeof DATA_SIZES;
  quick?: boolean;
  runs: number;
  dnaModel?: string;
  proteinModel?: string;
  modelPath?: string;
  threads: number;
  outputDir: string;
  compareTo?: string;
  failAbove: number;
  json?: boolean;
  temporalCli?: string;
}

/** Exit code of a benchmark that could not run; 1 says that something became slower. */
const TROUBLE = 2;

/** `virnucpro benchmark`: how fast this machine is, and whether it was faster before. */
export function benchmarkCommand(): Command {
  return new Command('benchmark')
    .description('measure front end, encoders and a whole predict on this machine; compare with an earlier report')
    .addOption(new Option('--suite <suite>', 'what to measure').choices([...SUITES, 'all']).default('all'))
    .addOption(
      new Option('--data-size <size>', '10, 100, 1,000 or 10,000 contigs')
        .choices(Object.keys(DATA_SIZES))
        .default('small'),
    )
    .option('--quick', 'one run of the tiny size: shows that it works')
    .option('--runs <n>', 'of each measurement; the median counts', wholeNumber('--runs', { min: 1, max: 1000 }), 3)
    .option('--dna-model <name|dir>', 'DNA encoder (default: the tiny example)')
    .option('--protein-model <name|dir>', 'protein encoder (default: the tiny example)')
    .option('-p, --model-path <file>', 'classifier that fits both (default: the tiny example)')
    .option('-t, --threads <n>', 'CPU threads', wholeNumber('--threads', { min: 1, max: 1024 }), availableParallelism())
    .option('-o, --output-dir <dir>', 'where reports go', 'virnucpro_benchmarks')
    .option('--compare-to <file>', 'a benchmark_*.json of before')
    .option('--fail-above <percent>', 'how much worse a figure may be than before', parsePercent, 10)
    .option('--json', 'print the report as one JSON object')
    .option('--temporal-cli <path>', 'Temporal CLI to use (env VIRNUCPRO_TEMPORAL_CLI)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, and nothing is worse than before by more than --fail-above; 1 something is; 2 could not run.',
    )
    .action(async (options: BenchmarkOptions) => {
      const { benchmark } = await import('./benchmark-run.js');
      await benchmark(options).catch((error: unknown) => {
        throw new ExitWith(TROUBLE, error);
      });
    });
}

function parsePercent(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && Number.isFinite(value)) return value;
  throw new OptionError({
    what: `--fail-above is ${JSON.stringify(text)}, allowed are numbers from 0`,
    next: 'Give percent, for example --fail-above 10',
  });
}
