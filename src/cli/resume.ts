import { stat } from 'node:fs/promises';
import path from 'node:path';
import { embeddingsPrefix, finishedKey, workPrefix } from '../activities/keys.js';
import { OptionError } from '../contract/failures.js';
import type { RunOptions, SampleSpec } from '../contract/run.js';
import { openStore } from '../io/open-store.js';
import { endRun } from './campaign-client.js';
import type { EmbeddedRun } from './embedded-run.js';
import { type RunRecord, differences, readRunRecord } from './run-record.js';

/** What a `predict` was asked for. */
export interface Asked {
  run: RunOptions;
  specs: SampleSpec[];
  request: RunRecord['request'];
  /** The specs' files with their digests. */
  samples: RunRecord['samples'];
}

/** What becomes of the run that the output folder holds. */
export interface Plan {
  /** It is this run, and done. */
  done: boolean;
  /** It is this run: go on with it under its id. */
  again?: string;
  /** It is another run: it ends before a new one starts. */
  replaced?: RunRecord;
  /** Nothing that is there is used again. */
  startOver: boolean;
}

/**
 * Compares what is asked for with the run that the output folder holds.
 * @throws OptionError when it holds another run's results and neither `resume` nor `force` says what to do with them.
 */
export async function planRun(asked: Asked, { resume, force }: { resume: boolean; force: boolean }): Promise<Plan> {
  const { outputDir } = asked.run;
  const record = await readRunRecord(outputDir).catch((error: unknown) => {
    if (force) return undefined;
    throw error;
  });
  const anew = { done: false, startOver: force, ...(record === undefined ? {} : { replaced: record }) };
  if (force) return anew;
  if (record === undefined) {
    const found = resume ? undefined : await findResults(asked);
    if (found === undefined) return anew;
    throw foreign(`the output folder holds results of a run that left no record here: ${found}`, outputDir);
  }
  const different = differences(record, asked);
  if (different.length === 0) return { done: record.state === 'done', again: record.workflowId, startOver: false };
  if (resume) return anew;
  throw foreign(`the output folder holds the results of another run: ${different.join('; ')}`, outputDir);
}

/** Ends what the plan replaces and clears what it does not use. Returns the id of the run to go on with, if any. */
export async function prepareRun(embedded: EmbeddedRun, asked: Asked, plan: Plan): Promise<string | undefined> {
  const { outputDir, heartbeatMs } = asked.run;
  if (plan.replaced !== undefined && (await endRun(embedded.client, plan.replaced.workflowId, heartbeatMs))) {
    process.stderr.write(`Ended ${plan.replaced.workflowId}, which this run replaces\n`);
  }
  if (plan.startOver) {
    const store = openStore(outputDir);
    for (const sample of asked.specs) {
      for (const key of [finishedKey(sample), workPrefix(sample), embeddingsPrefix(sample)]) await store.remove(key);
    }
  }
  return plan.again;
}

async function findResults({ run, specs }: Asked): Promise<string | undefined> {
  for (const { prefix, stem } of specs) {
    const file = path.join(run.outputDir, prefix, `${stem}_merged`, 'prediction_results.txt');
    if ((await stat(file).catch(() => undefined)) !== undefined) return file;
  }
  return undefined;
}

function foreign(what: string, where: string): OptionError {
  return new OptionError({
    what,
    where,
    next: 'Use another output folder (-o), --resume to go on with what is finished and still right, or --force to start over',
  });
}
