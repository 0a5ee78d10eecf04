import { Command } from 'commander';

/** `virnucpro attach`: bars in another terminal. */
export function attachCommand(): Command {
  return new Command('attach')
    .description('watch a run until it ends; Ctrl-C leaves it running')
    .argument('<run>', 'its id, as predict and list print it, or its results folder')
    .action(async (run: string) => {
      const { attach } = await import('./attach-run.js');
      await attach(run);
    });
}
