import path from 'node:path';
import { InputError } from '../contract/failures.js';
import { CAMPAIGN_TABLE, readCampaignTable } from '../io/campaign-table.js';
import { exists } from '../io/exists.js';
import { PROVENANCE } from '../io/provenance.js';
import { writeText } from '../io/tables.js';
import { REPORT } from './find-report.js';
import { MULTIQC_TABLE, multiqcTable } from './multiqc-table.js';
import { runReport } from './run-report.js';
import { readSample } from './sample-data.js';

/**
 * Writes report.html from what a sample's folder holds.
 * @throws InputError when it is no folder of results, or one of an older version; StorageError when the disk refuses.
 */
export async function writeSampleReport(folder: string): Promise<void> {
  // Loaded only now: the charts' library takes half a second and 30 MB, and most processes draw none.
  const { sampleReport } = await import('./sample-report.js');
  await writeText(path.join(folder, REPORT), [await sampleReport(await readSample(folder))]);
}

/**
 * Writes what a run's campaign.tsv gives: the MultiQC table and report.html with a link to each sample.
 * @param holdsSample the results of the run's only sample lie in the folder itself: then report.html is that sample's.
 * @throws InputError when there is no such table, or one of an older version; StorageError when the disk refuses.
 */
export async function writeRunReport(folder: string, holdsSample: boolean): Promise<void> {
  const samples = await readCampaignTable(folder);
  await writeText(path.join(folder, MULTIQC_TABLE), [multiqcTable(samples)]);
  if (!holdsSample) await writeText(path.join(folder, REPORT), [runReport(samples)]);
}

/**
 * Writes all reports of a folder again: of the sample whose results it holds, or of a run and its finished samples.
 * @returns the path of the report to look at.
 * @throws InputError when the folder holds neither; StorageError when the disk refuses.
 */
export async function rewriteReports(folder: string): Promise<string> {
  const isRun = await exists(path.join(folder, CAMPAIGN_TABLE));
  const isSample = await exists(path.join(folder, PROVENANCE));
  if (!isRun && !isSample) {
    throw new InputError({
      what: `neither provenance.json nor ${CAMPAIGN_TABLE} is here`,
      where: folder,
      next: 'Name the output folder of a finished predict, or the folder of one of its samples',
    });
  }
  if (isSample) {
    await writeSampleReport(folder);
  } else {
    for (const { sample, status } of await readCampaignTable(folder)) {
      if (status === 'done') await writeSampleReport(path.join(folder, sample));
    }
  }
  if (isRun) await writeRunReport(folder, isSample);
  return path.join(folder, REPORT);
}
