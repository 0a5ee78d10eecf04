import { TableCommand } from './options/table-command.js';
import { ExitWith } from './run.js';

/** Exit code of a benchmark that could not run; 1 says that something became slower. */
const TROUBLE = 2;

/** `virnucpro benchmark`: how fast this machine is, and whether it was faster before. */
export function benchmarkCommand(): TableCommand {
  return new TableCommand('benchmark', async () => (await import('./options/benchmark-table.js')).BENCHMARK_OPTIONS)
    .description(
      'measure front end, encoders, int8 and a whole predict on this machine; compare with an earlier report',
    )
    .addHelpText(
      'after',
      '\nExit codes: 0 done, and nothing is worse than before by more than --fail-above; 1 something is; 2 could not run.',
    )
    .runs(async (options) => {
      const { benchmark } = await import('./benchmark-run.js');
      await benchmark(options).catch((error: unknown) => {
        throw new ExitWith(TROUBLE, error);
      });
    });
}
