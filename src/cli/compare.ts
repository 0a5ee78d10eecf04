import { Command } from 'commander';
import { SCORE_TOLERANCE } from '../contract/defaults.js';
import { OptionError } from '../contract/failures.js';
import { ExitWith } from './run.js';

/** Parsed options of `compare`. */
export interface CompareOptions {
  tolerance: number;
  csv?: string;
  json?: boolean;
}

/** As of cmp and diff: 1 says that there is a difference. */
const TROUBLE = 2;

/** `virnucpro compare A B`: do two runs say the same? */
export function compareCommand(): Command {
  return new Command('compare')
    .description('compare the results of two runs, frame by frame and chunk by chunk')
    .argument('<folder-a>', "a run's output folder, also of the original tool, or the folder of one sample")
    .argument('<folder-b>', 'the other one; samples are paired by name')
    .option(
      '--tolerance <score>',
      'largest difference of two scores that counts as none',
      parseTolerance,
      SCORE_TOLERANCE,
    )
    .option('--csv <file>', 'write the rows that differ, with both values')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExit codes: 0 the same, 1 different, 2 could not be compared.')
    .action(async (a: string, b: string, options: CompareOptions) => {
      const { compare } = await import('./compare-run.js');
      await compare(a, b, options).catch((error: unknown) => {
        throw new ExitWith(TROUBLE, error);
      });
    });
}

function parseTolerance(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new OptionError({
    what: `--tolerance is ${JSON.stringify(text)}, allowed are numbers from 0 to 1`,
    next: `Give a number, for example --tolerance ${SCORE_TOLERANCE}`,
  });
}
