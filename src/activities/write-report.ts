import { rewriteReports } from '../report/write-report.js';

/** Argument of the `writeReport` activity. */
export interface WriteReportInput {
  /** Folder of a sample's results, or of a run's. */
  folder: string;
}

/**
 * Writes the reports of finished results, as `classifySample` and a campaign do by themselves: again, or for results that lie
 * elsewhere now. Returns the path of the one to look at.
 * @throws InputError when the folder holds no results; StorageError.
 */
export function writeReport({ folder }: WriteReportInput): Promise<string> {
  return rewriteReports(folder);
}
