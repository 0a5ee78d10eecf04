import { TableCommand } from './options/table-command.js';
import type { RunView } from './runs.js';
import { textTable } from './text-table.js';

/** `virnucpro list`: the runs that this machine's embedded server, or the environment's service, knows. */
export function listCommand(): TableCommand {
  return new TableCommand('list', async () => (await import('./options/run-tables.js')).LIST_OPTIONS)
    .description('runs, newest first: of this machine (30 days), or of the Temporal service')
    .runs(async ({ json, temporalCli }) => {
      const [{ openLooker }, { listRuns }] = await Promise.all([import('./looker.js'), import('./runs.js')]);
      const looker = await openLooker({}, temporalCli);
      try {
        const runs = looker === undefined ? [] : await listRuns(looker);
        console.log(json ? JSON.stringify(runs) : runsTable(runs));
      } finally {
        await looker?.close();
      }
    });
}

function runsTable(runs: readonly RunView[]): string {
  if (runs.length === 0) return 'No runs';
  return textTable([
    ['RUN', 'STATE', 'STARTED', 'SAMPLES', 'OUTPUT'],
    ...runs.map((run) => [run.id, run.state, run.started.slice(0, 19), samplesCell(run), run.outputDir]),
  ]);
}

/** `3/5`, `3/5 (1 failed)`. */
function samplesCell({ done, failed, samples }: RunView): string {
  return `${done}/${samples}${failed > 0 ? ` (${failed} failed)` : ''}`;
}
