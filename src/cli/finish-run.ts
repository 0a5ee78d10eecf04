import type { CampaignResult } from '../contract/run.js';
import { type RunRecord, writeRunRecord } from './run-record.js';

/** Notes in a folder's record that its run has ended. While a sample is failed, the same command tries it again. */
export async function finishRun({ counts }: CampaignResult, folder: string, record: RunRecord): Promise<void> {
  if (counts.failed > 0) return;
  await writeRunRecord(folder, { ...record, state: counts.framesQuarantined > 0 ? 'partial' : 'done' });
}
