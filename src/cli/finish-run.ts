import type { CampaignResult } from '../contract/run.js';
import { downloadResults } from '../io/transfer.js';
import { type RunRecord, writeRunRecord } from './run-record.js';

/**
 * Brings a run's results into its folder, if they are elsewhere, and notes in its record that it has ended. While a
 * sample is failed, the same command tries it again.
 * @throws StorageError; ArtifactInvalid when a result in the store is damaged.
 */
export async function finishRun({ counts }: CampaignResult, folder: string, record: RunRecord): Promise<void> {
  if (record.store !== undefined) await downloadResults(record.store, folder);
  if (counts.failed > 0) return;
  await writeRunRecord(folder, { ...record, state: counts.framesQuarantined > 0 ? 'partial' : 'done' });
}
