import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';

/** `virnucpro report RUN|DIR`: the reports of a run, from what its output folder holds. */
export function reportCommand(): Command {
  return new Command('report')
    .description("write a run's reports again, from the files in its output folder")
    .argument('<run|dir>', "a run's id, its output folder, or the folder of one of its samples")
    .option('--temporal-cli <path>', 'Temporal CLI to use (env VIRNUCPRO_TEMPORAL_CLI)')
    .action(async (run: string, { temporalCli }: { temporalCli?: string }) => {
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
