import { access } from 'node:fs/promises';
import path from 'node:path';

/** Name of the report in a sample's folder, and of the overview in the folder of a run of several. */
export const REPORT = 'report.html';

/** Path of the report that a folder has, if any. */
export async function findReport(folder: string): Promise<string | undefined> {
  const report = path.join(folder, REPORT);
  return (await exists(report)) ? report : undefined;
}

/** Whether there is such a file. */
export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
