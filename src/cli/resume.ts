import path from 'node:path';
import { hasWholeTables, removeTables } from '../activities/finished-sample.js';
import { embeddingsPrefix, workPrefix } from '../activities/keys.js';
import { OptionError } from '../contract/failures.js';
import type { RunOptions, SampleSpec } from '../contract/run.js';
import { CAMPAIGN_TABLE } from '../io/campaign-table.js';
import { exists } from '../io/exists.js';
import { openStore } from '../io/open-store.js';
import { classicFile } from '../io/result-files.js';
import { INPUTS } from '../io/transfer.js';
import { endRun, isEnding, isOpen } from './campaign-client.js';
import type { OpenRunClient } from './run-client.js';
import { type RunRecord, differences, readRunRecord } from './run-record.js';
import { type ServiceName, isSame, placeText } from './service.js';

/** What a `predict` was asked for. */
export interface Asked {
  /** Its `outputDir` is the folder below, or an object store. */
  run: RunOptions;
  /** Where people find the results, and what is known of the run. */
  folder: string;
  specs: SampleSpec[];
  request: RunRecord['request'];
  /** The specs' files with their digests. */
  samples: RunRecord['samples'];
  /** Where it shall run; undefined: on this machine's embedded server. */
  service?: ServiceName | undefined;
}

/** What becomes of the run that the output folder holds. */
export interface Plan {
  /** It is this run, and done; `partial`: but for quarantined frames. */
  done: false | 'done' | 'partial';
  /** It is this run: go on with it under its id. */
  again?: string;
  /** It is another run: it ends before a new one starts. */
  replaced?: RunRecord;
  /** Nothing that is there is used again. */
  startOver: boolean;
  /** Whether nobody said that the run may find an object store's prefix used. */
  storeIsNew?: boolean;
  /** What to say if the run that is to be replaced is still going. */
  refusedIfOpen?: OptionError;
}

/**
 * Compares what is asked for with the run that the output folder holds.
 * @throws OptionError when it holds another run's results and neither `resume` nor `force` says what to do with them.
 */
export async function planRun(asked: Asked, { resume, force }: { resume: boolean; force: boolean }): Promise<Plan> {
  const { folder } = asked;
  const record = await readRunRecord(folder).catch((error: unknown) => {
    if (force) return undefined;
    throw error;
  });
  const isOfThisFolder = record?.outputDir === folder;
  if (isOfThisFolder && record.state === 'running' && !isSame(record.service, asked.service)) {
    if (!force) throw elsewhere(record, asked);
    const { workflowId, service } = record;
    process.stderr.write(
      `The run that was under way here, ${workflowId}, is left to itself on ${placeText(service)}\n`,
    );
  }
  const storeIsNew = !resume && !force && record?.store !== asked.run.outputDir;
  const anew = { done: false as const, startOver: force, storeIsNew, ...(isOfThisFolder ? { replaced: record } : {}) };
  if (force) return anew;
  if (record === undefined) {
    const found = resume ? undefined : await findResults(asked);
    if (found === undefined) return anew;
    throw foreign(`the output folder holds results of a run that left no record here: ${found}`, folder);
  }
  const different = differences(record, asked);
  if (different.length === 0) {
    const done = record.state !== 'running' && (await hasResults(asked)) && record.state;
    // A copied or moved folder: the run itself goes on where it was, and is not this one.
    if (record.outputDir !== folder) return { done, startOver: false };
    return { done, again: record.workflowId, startOver: false };
  }
  if (resume) return anew;
  const refusal = foreign(`the output folder holds another run: ${different.join('; ')}`, folder);
  // A run that ended without any result is nobody's loss; whether it has ended, only the server knows.
  if (record.state === 'running' && !(await findResults(asked))) return { ...anew, refusedIfOpen: refusal };
  throw refusal;
}

/**
 * A folder's record tells of its run; an object store has none.
 * @throws OptionError when its prefix holds more than inputs that were sent there; StorageError.
 */
export async function refuseUsedStore({ run: { outputDir }, folder }: Asked): Promise<void> {
  if (outputDir === folder) return;
  const keys = await openStore(outputDir).list('');
  const used = keys.find((key) => key !== '' && !key.endsWith('/') && !key.startsWith(INPUTS));
  if (used !== undefined) {
    throw foreign(`the store holds files that no run of this folder left: ${used}`, outputDir, 'prefix (--store)');
  }
}

/** Ends what the plan replaces and clears what it does not use. Returns the id of the run to go on with, if any. */
export async function prepareRun(server: OpenRunClient, asked: Asked, plan: Plan): Promise<string | undefined> {
  const { outputDir, heartbeatMs } = asked.run;
  const { refusedIfOpen, replaced } = plan;
  if (refusedIfOpen && replaced && (await isOpen(server.client, replaced.workflowId))) throw refusedIfOpen;
  if (plan.replaced !== undefined && (await endRun(server.client, plan.replaced.workflowId, heartbeatMs))) {
    process.stderr.write(`Ended the run that was under way here (${plan.replaced.workflowId})\n`);
  }
  // Ctrl-C twice leaves before the run has ended.
  if (plan.again !== undefined && (await isEnding(server.client, plan.again))) {
    process.stderr.write(`Waiting for the end of ${plan.again}, which was cancelled: it starts anew\n`);
    await endRun(server.client, plan.again, heartbeatMs);
  }
  // On a service its agents see to that (workers/stuck-runs.ts).
  if (plan.again !== undefined && server.service === undefined && (await isOpen(server.client, plan.again))) {
    // Loaded only now: replaying takes the SDK's workflow machinery.
    const { canGoOn, terminateRun } = await import('./replay.js');
    if (!(await canGoOn(server, plan.again))) {
      await terminateRun(server, plan.again, 'this build of virnucpro cannot replay it');
      process.stderr.write(
        `Another build of virnucpro started ${plan.again}, and this one cannot go on with it: it starts anew, and ` +
          'finished files are used again\n',
      );
    }
  }
  if (plan.startOver) {
    const store = openStore(outputDir);
    for (const sample of asked.specs) {
      for (const place of new Set([asked.folder, outputDir]))
        await removeTables({ sample, options: { outputDir: place } });
      for (const key of [workPrefix(sample), embeddingsPrefix(sample)]) await store.remove(key);
    }
  }
  return plan.again;
}

async function findResults(asked: Asked): Promise<string | undefined> {
  for (const file of resultFiles(asked)) if (await exists(file)) return file;
  return undefined;
}

/** Whether every sample's tables are in the output folder, whole. */
export async function hasResults({ folder, specs }: Asked): Promise<boolean> {
  if (!(await exists(path.join(folder, CAMPAIGN_TABLE)))) return false;
  for (const sample of specs) {
    if (!(await hasWholeTables({ sample, options: { outputDir: folder } }))) return false;
  }
  return true;
}

function resultFiles({ folder, specs }: Asked): string[] {
  return specs.map(({ prefix, stem }) => path.join(folder, prefix, classicFile(stem, 'predictions')));
}

function foreign(what: string, where: string, place = 'output folder (-o)'): OptionError {
  return new OptionError({
    what,
    where,
    next: `Use another ${place}, --resume to go on with what is finished and still right, or --force to start over`,
  });
}

function elsewhere({ workflowId, service }: RunRecord, asked: Asked): OptionError {
  const go =
    service === undefined
      ? '--no-service'
      : `TEMPORAL_ADDRESS=${service.address} TEMPORAL_NAMESPACE=${service.namespace}`;
  return new OptionError({
    what: `the run of this folder, ${workflowId}, is on ${placeText(service)}, not on ${placeText(asked.service)}`,
    where: asked.folder,
    next: `Give ${go} to go on with it, or use another output folder (-o)`,
  });
}
