import { TableCommand } from './options/table-command.js';

/** `virnucpro worker`: this host's agent, until SIGTERM or SIGINT. */
export function workerCommand(): TableCommand {
  return new TableCommand('worker', async () => (await import('./options/worker-table.js')).WORKER_OPTIONS)
    .description('serve a Temporal service with this host: workflows, CPU activities, lanes')
    .runs(async (options) => {
      const { runWorker } = await import('./worker-run.js');
      await runWorker(options);
    });
}
