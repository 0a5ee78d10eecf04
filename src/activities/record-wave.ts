import path from 'node:path';
import type { ArtifactRef } from '../contract/artifacts.js';
import { FAILURES_SHOWN } from '../contract/defaults.js';
import type { SampleResult } from '../contract/run.js';
import { STAGES } from '../contract/stages.js';
import { CAMPAIGN_TABLE, campaignTable } from '../io/campaign-table.js';
import { readJsonLines, writeJsonLines } from '../io/json-lines.js';
import { openStore } from '../io/open-store.js';
import { PROVENANCE } from '../io/provenance.js';
import { writeText } from '../io/tables.js';
import { writeRunReport } from '../report/write-report.js';
import { drawReport } from './draw-report.js';
import { waveManifestKey, waveRecordKey, waveStagesKey } from './keys.js';

/** Argument of the `recordWave` activity. */
export interface RecordWaveInput {
  /** First sample of the wave. */
  cursor: number;
  results: SampleResult[];
  store: string;
}

/** Keeps how a wave's samples ended: the run itself forgets when it continues as new. */
export async function recordWave({ cursor, results, store }: RecordWaveInput): Promise<ArtifactRef> {
  const artifacts = openStore(store);
  const record = await artifacts.put(waveRecordKey(cursor), (file) => writeJsonLines(file, results));
  for (const stage of STAGES) await artifacts.remove(waveManifestKey(cursor, stage));
  await artifacts.remove(waveStagesKey(cursor));
  return record;
}

/** Argument of the `summarizeCampaign` activity. */
export interface SummarizeCampaignInput {
  /** Every wave's record, in order. */
  waves: ArtifactRef[];
  store: string;
}

/**
 * Joins the waves' records into campaign.tsv and writes the run's overview. Returns the first samples that failed, at most FAILURES_SHOWN.
 */
export async function summarizeCampaign(input: SummarizeCampaignInput): Promise<SampleResult[]> {
  const store = openStore(input.store);
  const results: SampleResult[] = [];
  for (const wave of input.waves) results.push(...(await readJsonLines<SampleResult>(await store.get(wave))));
  const holdsSample = (await store.peek(PROVENANCE)) !== undefined;
  await store.putFolder('', async (folder) => {
    await writeText(path.join(folder, CAMPAIGN_TABLE), [campaignTable(results)]);
    await drawReport(() => writeRunReport(folder, holdsSample));
  });
  return results.filter(({ status }) => status === 'failed').slice(0, FAILURES_SHOWN);
}
