import { stat } from 'node:fs/promises';
import path from 'node:path';
import { TableCommand } from './options/table-command.js';

/** `virnucpro report RUN|DIR`: the reports of a run, from what its output folder holds. */
export function reportCommand(): TableCommand {
  return new TableCommand('report', async () => (await import('./options/run-tables.js')).RUN_OPTIONS)
    .description("write a run's reports again, from the files in its output folder")
    .argument('<run|dir>', "a run's id, its output folder, or the folder of one of its samples")
    .runs(async ({ temporalCli }, run) => {
      const folder = (await isFolder(run)) ? path.resolve(run) : await outputFolderOf(run, temporalCli);
      const { rewriteReports } = await import('../report/write-report.js');
      console.log(`Report: ${await rewriteReports(folder)}`);
    });
}

async function isFolder(name: string): Promise<boolean> {
  return stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function outputFolderOf(id: string, temporalCli: string | undefined): Promise<string> {
  const [{ openLooker }, { findRun, unknownRun }] = await Promise.all([import('./looker.js'), import('./runs.js')]);
  const looker = await openLooker({}, temporalCli);
  if (looker === undefined) throw unknownRun(id);
  try {
    const { memo } = await findRun(looker, id);
    const folder = memo?.['outputDir'];
    if (typeof folder !== 'string') throw unknownRun(id);
    return folder;
  } finally {
    await looker.close();
  }
}
