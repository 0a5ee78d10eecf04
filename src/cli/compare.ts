import { TableCommand } from './options/table-command.js';
import { ExitWith } from './run.js';

/** As of cmp and diff: 1 says that there is a difference. */
const TROUBLE = 2;

/** `virnucpro compare A B`: do two runs say the same? */
export function compareCommand(): TableCommand {
  return new TableCommand('compare', async () => (await import('./options/compare-table.js')).COMPARE_OPTIONS)
    .description('compare the results of two runs, frame by frame and chunk by chunk')
    .argument('<folder-a>', "a run's output folder, also of the original tool, or the folder of one sample")
    .argument('<folder-b>', 'the other one; samples are paired by name')
    .addHelpText('after', '\nExit codes: 0 the same, 1 different, 2 could not be compared.')
    .runs(async (options, a, b) => {
      const { compare } = await import('./compare-run.js');
      await compare(a, b, options).catch((error: unknown) => {
        throw new ExitWith(TROUBLE, error);
      });
    });
}
