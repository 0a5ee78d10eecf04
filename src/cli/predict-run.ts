import { createWriteStream } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PART_MS, STALLED_CALL_MS } from '../contract/defaults.js';
import { ModelError } from '../contract/failures.js';
import type { RunOptions, SampleSpec } from '../contract/run.js';
import { CPU_QUEUE } from '../contract/queues.js';
import { STDIN, toInputError } from '../io/input.js';
import { sha256OfFile, writeAtomically } from '../io/local-store.js';
import { cacheFolderPath } from '../io/user-folders.js';
import { resolveModel } from '../model/catalogue.js';
import { encoderDigest, weightsDigest } from '../model/content-digest.js';
import { followCampaign, newRunId, startCampaign } from './campaign-client.js';
import { openDisplay } from './display.js';
import { type EmbeddedRun, openEmbeddedRun } from './embedded-run.js';
import { type PredictOptions, parsePredictOptions } from './predict-options.js';
import { type Asked, type Plan, planRun, prepareRun } from './resume.js';
import { type RunRequest, writeRunRecord } from './run-record.js';
import { interruption } from './run.js';
import { resolveSamples } from './samples.js';
import { reportEnd } from './summary.js';

/**
 * Runs a campaign through Temporal on this machine, or goes on with the one that its output folder holds.
 * @throws InputError, ModelError, OptionError before anything starts; RunFailed when the run fails; Interrupted.
 */
export async function predict(inputs: readonly string[], raw: unknown): Promise<void> {
  const options: PredictOptions = parsePredictOptions(raw);
  const named = await resolveSamples(inputs, options.samples);
  const [dnaModel, proteinModel, classifier] = await Promise.all([
    resolveModel(options.dnaModel, process.env),
    resolveModel(options.proteinModel, process.env),
    existingFile(options.modelPath),
  ]);
  const outputDir = path.resolve(options.outputDir ?? `${defaultName(named)}_predictions`);
  const specs = await Promise.all(named.map((sample) => withFile(sample, outputDir)));
  const run: RunOptions = {
    chunkSize: options.expectedLength,
    ...(options.batchSequences === undefined ? {} : { batchSequences: options.batchSequences }),
    dnaModel: path.resolve(dnaModel.path),
    proteinModel: path.resolve(proteinModel.path),
    classifier,
    outputDir,
    keepIntermediate: options.keepIntermediate,
    keepEmbeddings: options.keepEmbeddings,
    waveBytes: options.waveBytes,
    device: 'cpu',
    lanes: options.lanes,
    persistent: options.persistentModels,
    keepWarmSeconds: options.keepWarm,
    heartbeatMs: options.heartbeat * 1000,
    partMs: PART_MS,
    stalledMs: STALLED_CALL_MS,
    cpuQueue: CPU_QUEUE,
  };
  const asked = { run, specs, request: await requestOf(run), samples: await digestsOf(specs) };
  const plan = await planRun(asked, options);
  if (plan.done) {
    process.stderr.write(`This run is already done; its results are in ${outputDir}\n`);
    return;
  }
  const signal = interruption();
  const embedded = await openEmbeddedRun({ ...options, signal });
  try {
    // Looked at again: another command may have taken the folder while the server started.
    const planNow = await planRun(asked, options);
    if (!planNow.done) await runCampaign(embedded, asked, planNow, signal);
  } finally {
    await embedded.close();
  }
}

async function runCampaign(embedded: EmbeddedRun, asked: Asked, plan: Plan, signal: AbortSignal): Promise<void> {
  const { run, specs, request, samples } = asked;
  const again = await prepareRun(embedded, asked, plan);
  const workflowId = again ?? newRunId(specs);
  const record = { workflowId, request, samples };
  // Before the start: a run that nobody knows of could not be gone on with.
  await writeRunRecord(run.outputDir, { ...record, state: 'running' });
  const started = await startCampaign(embedded.client, specs, run, workflowId);
  process.stderr.write(
    started.resumed
      ? `Going on with ${workflowId}, with the lanes and waiting times it was started with (virnucpro set-max-lanes)\n`
      : `Started ${workflowId}\n`,
  );
  process.stderr.write(`Temporal UI: ${embedded.runUrl(workflowId)}\n`);
  const display = openDisplay(process.stderr);
  const result = await followCampaign(embedded.client, started.handle, display.show, signal).finally(() =>
    display.close(),
  );
  // While a sample is failed, the same command tries it again.
  if (result.counts.failed === 0) await writeRunRecord(run.outputDir, { ...record, state: 'done' });
  await reportEnd(result, run.outputDir);
}

/** Options that change what comes out; models by the digest of what they hold. */
async function requestOf(run: RunOptions): Promise<RunRequest> {
  return {
    expectedLength: run.chunkSize,
    batchSequences: run.batchSequences ?? 'by size',
    dnaModel: await encoderDigest(run.dnaModel, cacheFolderPath()),
    proteinModel: await encoderDigest(run.proteinModel, cacheFolderPath()),
    classifier: await weightsDigest(run.classifier, cacheFolderPath()),
    keepIntermediate: run.keepIntermediate,
    keepEmbeddings: run.keepEmbeddings,
  };
}

async function digestsOf(specs: readonly SampleSpec[]): Promise<Asked['samples']> {
  const digests: Asked['samples'] = [];
  for (const { name, input } of specs) {
    const sha256 = await sha256OfFile(input).catch((error: unknown) => {
      throw toInputError(error, input);
    });
    digests.push({ name, input, sha256 });
  }
  return digests;
}

function defaultName([first]: readonly SampleSpec[]): string {
  return first!.prefix === '' ? first!.stem : 'virnucpro';
}

/** The input as a file that other processes can read, too: standard input is kept in the output folder. */
async function withFile(sample: SampleSpec, outputDir: string): Promise<SampleSpec> {
  if (sample.input !== STDIN) return sample;
  const folder = path.join(outputDir, '.virnucpro');
  const arriving = path.join(folder, `stdin-${process.pid}.fa`);
  await mkdir(folder, { recursive: true });
  await writeAtomically(arriving, (temporary) => pipeline(process.stdin, createWriteStream(temporary)));
  // Named by what it holds: another command's input never takes the place of this one's.
  const input = path.join(folder, `stdin-${(await sha256OfFile(arriving)).slice(0, 16)}.fa`);
  await rename(arriving, input);
  return { ...sample, input };
}

async function existingFile(file: string): Promise<string> {
  const resolved = path.resolve(file);
  const found = await stat(resolved).catch(() => undefined);
  if (!found?.isFile()) {
    throw new ModelError({
      what: 'no such classifier file',
      where: file,
      next: 'Give the .pth or .safetensors file of the 300 or 500 model with -p',
    });
  }
  return resolved;
}
