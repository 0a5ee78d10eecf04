import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { TOKENS_PER_CALL } from '../contract/defaults.js';
import type { Precision } from '../contract/models.js';
import { type NamedDevice, deviceOption } from './choose-devices.js';
import { precisionOption } from './precision.js';
import { wholeNumber } from './whole-number.js';

/** Parsed options of `embed`. */
export interface EmbedOptions {
  model: string;
  output: string;
  precision: Precision;
  device?: NamedDevice;
  threads: number;
  tokensPerCall?: number;
  json?: boolean;
}

/** `virnucpro embed`: vectors of a FASTA file's sequences in this one process, without Temporal. */
export function embedCommand(): Command {
  return new Command('embed')
    .description('embed sequences: nucleotides with a DNABERT model, proteins with an ESM-2 model')
    .argument('<input>', 'FASTA file, also .gz or .zst, or - for standard input')
    .requiredOption('-m, --model <name|path>', 'model by name, checkpoint folder or file')
    .requiredOption('-o, --output <file>', 'Arrow IPC file with columns id and vector')
    .addOption(precisionOption('what products are computed in'))
    .addOption(deviceOption())
    .option('--threads <n>', 'CPU threads', wholeNumber('--threads', { min: 1, max: 1024 }), availableParallelism())
    .option(
      '--tokens-per-call <tokens>',
      'tokens of one model call, padding included; virnucpro profile recommends it (default: calls of about a second)',
      wholeNumber('--tokens-per-call', TOKENS_PER_CALL),
    )
    .option('--json', 'print what was done, and how fast, as one JSON object')
    .action(async (input: string, options: EmbedOptions) => {
      const { embed } = await import('./embed-run.js');
      await embed(input, options);
    });
}
