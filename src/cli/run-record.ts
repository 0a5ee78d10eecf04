import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { OptionError } from '../contract/failures.js';
import { writeAtomically } from '../io/local-store.js';

/** What a run was asked for: when any of it differs, it is another run. Values are shown to people. */
export type RunRequest = Record<string, string | number | boolean>;

/** `<out>/.virnucpro/run.json`: which run's results the folder holds. */
export interface RunRecord {
  workflowId: string;
  request: RunRequest;
  state: 'running' | 'done';
}

/** Reads the record of the run whose results `outputDir` holds, if any. */
export async function readRunRecord(outputDir: string): Promise<RunRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordFile(outputDir), 'utf8')) as RunRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new OptionError({
      what: `the run record cannot be read: ${(error as Error).message}`,
      where: recordFile(outputDir),
      next: 'Use another output folder, or --force to start over here',
      cause: error,
    });
  }
}

/** Writes the record, atomically. */
export async function writeRunRecord(outputDir: string, record: RunRecord): Promise<void> {
  await writeAtomically(recordFile(outputDir), (file) => writeFile(file, JSON.stringify(record, undefined, 2) + '\n'));
}

/**
 * Checks that `request` is what the recorded run was asked for.
 * @throws OptionError with both values of everything that differs.
 */
export function assertSameRequest(record: RunRecord, request: RunRequest, outputDir: string): void {
  const names = new Set([...Object.keys(record.request), ...Object.keys(request)]);
  const differing = [...names].filter((name) => record.request[name] !== request[name]);
  if (differing.length === 0) return;
  const shown = differing.map((name) => `${name} was ${record.request[name]} and is ${request[name]}`);
  throw new OptionError({
    what: `the output folder holds the results of another run: ${shown.join('; ')}`,
    where: outputDir,
    next: 'Use another output folder (-o), or --force to replace that run',
  });
}

function recordFile(outputDir: string): string {
  return path.join(outputDir, '.virnucpro', 'run.json');
}
