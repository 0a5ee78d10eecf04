import path from 'node:path';
import { exists } from '../io/exists.js';

/** Name of the report in a sample's folder, and of the overview in the folder of a run of several. */
export const REPORT = 'report.html';

/** Path of the report that a folder has, if any. */
export async function findReport(folder: string): Promise<string | undefined> {
  const report = path.join(folder, REPORT);
  return (await exists(report)) ? report : undefined;
}
