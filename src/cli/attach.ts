import { TableCommand } from './options/table-command.js';

/** `virnucpro attach`: bars in another terminal. */
export function attachCommand(): TableCommand {
  return new TableCommand('attach', async () => (await import('./options/run-tables.js')).RUN_OPTIONS)
    .description('watch a run until it ends; Ctrl-C leaves it running. Of one that has ended: how')
    .argument('<run>', 'its id, as predict and list print it, or its results folder')
    .runs(async ({ temporalCli }, run) => {
      const { attach } = await import('./attach-run.js');
      await attach(run, temporalCli);
    });
}
