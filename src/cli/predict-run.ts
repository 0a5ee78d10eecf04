import { createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InputError, ModelError } from '../contract/failures.js';
import type { RunOptions, SampleSpec } from '../contract/run.js';
import { CPU_QUEUE } from '../contract/queues.js';
import { STDIN, inputStem } from '../io/input.js';
import { sha256OfFile, writeAtomically } from '../io/local-store.js';
import { resolveModel } from '../model/catalogue.js';
import { followCampaign, startCampaign } from './campaign-client.js';
import { openDisplay } from './display.js';
import { type EmbeddedRun, openEmbeddedRun } from './embedded-run.js';
import { type PredictOptions, parsePredictOptions } from './predict-options.js';
import { type RunRequest, assertSameRequest, readRunRecord, writeRunRecord } from './run-record.js';
import { interruption } from './run.js';
import { printSummary } from './summary.js';

/**
 * Runs one sample through Temporal on this machine, or goes on with the run that its output folder holds.
 * @throws InputError, ModelError, OptionError before anything starts; RunFailed when the run fails; Interrupted.
 */
export async function predict(input: string, raw: unknown): Promise<void> {
  const options: PredictOptions = parsePredictOptions(raw);
  const stem = inputStem(input);
  const outputDir = path.resolve(options.outputDir ?? `${stem}_predictions`);
  const [dnaModel, proteinModel, classifier] = await Promise.all([
    resolveModel(options.dnaModel, process.env),
    resolveModel(options.proteinModel, process.env),
    existingFile(options.modelPath),
  ]);
  const file = await inputFile(input, outputDir);
  const sample: SampleSpec = { name: stem, input: file, stem, prefix: '' };
  const run: RunOptions = {
    chunkSize: options.expectedLength,
    ...(options.batchSequences === undefined ? {} : { batchSequences: options.batchSequences }),
    dnaModel: path.resolve(dnaModel.path),
    proteinModel: path.resolve(proteinModel.path),
    classifier,
    outputDir,
    keepIntermediate: options.keepIntermediate,
    keepEmbeddings: options.keepEmbeddings,
    device: 'cpu',
    lanes: options.lanes,
    persistent: options.persistentModels,
    keepWarmSeconds: options.keepWarm,
    heartbeatMs: options.heartbeat * 1000,
    cpuQueue: CPU_QUEUE,
  };
  const request = await requestOf(input, file, run);
  const record = await readRunRecord(outputDir);
  if (record !== undefined && !options.force) {
    assertSameRequest(record, request, outputDir);
    if (record.state === 'done') {
      process.stderr.write(`This run is already done; its results are in ${outputDir}\n`);
      return;
    }
  }
  const again = record !== undefined && !options.force ? record.workflowId : undefined;

  const signal = interruption();
  const embedded = await openEmbeddedRun({ ...options, signal });
  try {
    await runCampaign(embedded, run, sample, request, again, signal);
  } finally {
    await embedded.close();
  }
}

async function runCampaign(
  embedded: EmbeddedRun,
  run: RunOptions,
  sample: SampleSpec,
  request: RunRequest,
  again: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const started = await startCampaign(embedded.client, [sample], run, again);
  const { workflowId } = started.handle;
  await writeRunRecord(run.outputDir, { workflowId, request, state: 'running' });
  process.stderr.write(
    `${started.resumed ? 'Going on with' : 'Started'} ${workflowId}\nTemporal UI: ${embedded.runUrl(workflowId)}\n`,
  );
  const display = openDisplay(process.stderr);
  const result = await followCampaign(started.handle, (progress) => display.show(progress), signal).finally(() =>
    display.close(),
  );
  await writeRunRecord(run.outputDir, { workflowId, request, state: 'done' });
  printSummary(result, run.outputDir);
}

/** What makes two calls of `predict` the same run: the bytes that go in and every option that changes what comes out. */
async function requestOf(input: string, file: string, run: RunOptions): Promise<RunRequest> {
  return {
    input: input === STDIN ? STDIN : file,
    inputSha256: await sha256OfFile(file),
    expectedLength: run.chunkSize,
    batchSequences: run.batchSequences ?? 'by size',
    dnaModel: run.dnaModel,
    proteinModel: run.proteinModel,
    classifier: run.classifier,
  };
}

/** The input as a file that other processes can read, too: standard input is kept in the output folder. */
async function inputFile(input: string, outputDir: string): Promise<string> {
  if (input !== STDIN) {
    const file = path.resolve(input);
    const found = await stat(file).catch(() => undefined);
    if (found === undefined || found.isDirectory()) {
      throw new InputError({
        what: found === undefined ? 'no such file' : 'is a folder',
        where: input,
        next: 'Give a FASTA file, or - for standard input',
      });
    }
    return file;
  }
  const kept = path.join(outputDir, '.virnucpro', 'stdin.fa');
  await mkdir(path.dirname(kept), { recursive: true });
  await writeAtomically(kept, (temporary) => pipeline(process.stdin, createWriteStream(temporary)));
  return kept;
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
