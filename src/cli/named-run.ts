import { realpath, stat } from 'node:fs/promises';
import { OptionError } from '../contract/failures.js';
import { type RunRecord, readRunRecord } from './run-record.js';
import { type Service, chooseService, recordedService } from './service.js';

/** A run as a person names it: by its id, or by its results folder. */
export interface NamedRun {
  id: string;
  /** Of a run that was named by its folder: the folder, and what it says. */
  folder?: string;
  record?: RunRecord;
}

/**
 * The run that a word of the command line names.
 * @throws OptionError when it is a folder in which no run has left a record.
 */
export async function namedRun(word: string): Promise<NamedRun> {
  const found = await stat(word).catch(() => undefined);
  return found?.isDirectory() ? runIn(word) : { id: word };
}

/**
 * The run whose results a folder holds.
 * @throws OptionError when none has left a record there.
 */
export async function runIn(folder: string): Promise<NamedRun> {
  const record = await readRunRecord(folder);
  if (record !== undefined) return { id: record.workflowId, folder: await realpath(folder), record };
  throw new OptionError({
    what: 'no run has left a record in this folder',
    where: folder,
    next: 'See virnucpro list',
  });
}

/** The service that a run is on, undefined for the embedded server: as its folder says, else as the environment does. */
export function serviceOf({ record }: Partial<NamedRun>, env: NodeJS.ProcessEnv): Service | undefined {
  if (record === undefined) return chooseService(undefined, env);
  return record.service === undefined ? undefined : recordedService(record.service, env);
}
