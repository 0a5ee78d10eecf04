import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { TOKENS_PER_CALL } from '../contract/defaults.js';
import type { Precision } from '../contract/models.js';
import { type NamedDevice, deviceOption } from './choose-devices.js';
import { precisionOption } from './precision.js';
import { wholeNumber } from './whole-number.js';

/** Parsed options of `profile`. */
export interface ProfileOptions {
  model: string;
  precision: Precision;
  device?: NamedDevice;
  minBatch?: number;
  maxBatch: number;
  step?: number;
  testFile?: string;
  rounds: number;
  threads: number;
  output?: string;
  json?: boolean;
}

const MOST_ROUNDS = 100;

/** `virnucpro profile`: how large model calls should be on a device. */
export function profileCommand(): Command {
  const tokens = (flag: string): ((text: string) => number) => wholeNumber(flag, TOKENS_PER_CALL);
  return new Command('profile')
    .description('find how large model calls should be on a device: speed and memory by tokens a call')
    .requiredOption('-m, --model <name|path>', 'model by name, checkpoint folder or file')
    .addOption(precisionOption('what products are computed in'))
    .addOption(deviceOption())
    .option('--min-batch <tokens>', 'smallest call (default: one sequence)', tokens('--min-batch'))
    .option('--max-batch <tokens>', 'largest call', tokens('--max-batch'), 8192)
    .option('--step <tokens>', 'from one call size to the next (default: twice as much each time)', tokens('--step'))
    .option('--test-file <file>', 'FASTA file of what to embed (default: made up, 500 bases or 166 residues each)')
    .option(
      '--rounds <n>',
      'times that each size is measured; the median counts',
      wholeNumber('--rounds', { min: 1, max: MOST_ROUNDS }),
      3,
    )
    .option('-t, --threads <n>', 'CPU threads', wholeNumber('--threads', { min: 1, max: 1024 }), availableParallelism())
    .option('-o, --output <file>', 'write what --json prints to this file, too')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  virnucpro profile -m esm2-3b -t 8')
    .action(async (options: ProfileOptions) => {
      const { profile } = await import('./profile-run.js');
      await profile(options);
    });
}
