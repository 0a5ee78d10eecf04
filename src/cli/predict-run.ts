import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PART_MS, STALLED_CALL_MS } from '../contract/defaults.js';
import { OptionError } from '../contract/failures.js';
import type { Precision } from '../contract/models.js';
import { CPU_QUEUE } from '../contract/queues.js';
import { type RunOptions, type SampleSpec, precisionOf } from '../contract/run.js';
import type { Stage } from '../contract/stages.js';
import { STDIN, toInputError } from '../io/input.js';
import { sha256OfFile, writeAtomically } from '../io/local-store.js';
import { cacheFolderPath } from '../io/user-folders.js';
import { resolveModel } from '../model/catalogue.js';
import { encoderDigest, weightsDigest } from '../model/content-digest.js';
import { type Show, followCampaign, runIdOf, startCampaign } from './campaign-client.js';
import { type ChosenDevices, chooseDevices, parseRunDevices } from './choose-devices.js';
import { openDisplay } from './display.js';
import { type EmbeddedRun, openEmbeddedRun } from './embedded-run.js';
import { cliLog, logBesideDisplay } from './log.js';
import { chooseClassifier } from './model-type.js';
import { readConfig } from './options/config-file.js';
import { readOptions } from './options/option-table.js';
import { PREDICT_OPTIONS, type PredictOptions } from './options/predict-table.js';
import { makeOutputFolder } from './output-folder.js';
import { assertPrecisionFits, defaultPrecision, sayDefaultPrecision, warnIfUnverified } from './precision.js';
import { type Asked, type Plan, planRun, prepareRun } from './resume.js';
import { type RunRequest, writeRunRecord } from './run-record.js';
import { interruption } from './run.js';
import { resolveSamples } from './samples.js';
import { reportDone, reportEnd } from './summary.js';

/**
 * Runs a campaign through Temporal on this machine, or goes on with the one that its output folder holds.
 * @throws InputError, ModelError, OptionError before anything starts; RunFailed when the run fails; Interrupted.
 */
export async function predict(
  inputs: readonly string[],
  flags: Readonly<Record<string, unknown>>,
  configFile?: string,
): Promise<void> {
  const config = configFile === undefined ? {} : { config: await readConfig(configFile) };
  const options = readOptions(PREDICT_OPTIONS, { flags, env: process.env, command: 'virnucpro predict', ...config });
  refuseContradictions(options);
  logBesideDisplay(options);
  const askedDevices = parseRunDevices(options.device, options.gpus);
  const named = await resolveSamples(inputs, options.samples);
  // Before the encoders: what contradicts itself is said first.
  const { classifier, chunkSize, assumed } = await chooseClassifier(options);
  const dnaModel = await resolveModel(options.dnaModel, process.env);
  const proteinModel = await resolveModel(options.proteinModel, process.env);
  const devices = await chooseDevices(askedDevices);
  if (askedDevices === 'auto' && !options.quiet) process.stderr.write(`Device: ${devices.said}\n`);
  if (assumed && !options.quiet)
    process.stderr.write(`Chunks: ${chunkSize} bases, the default; -e gives another length\n`);
  const precisionAsked = {
    dna: options.dnabertPrecision ?? options.precision,
    protein: options.esmPrecision ?? options.precision,
  };
  const precision: Record<Stage, Precision> = {
    'dnabert-s': precisionAsked.dna ?? defaultPrecision(devices.kind),
    'esm-2': precisionAsked.protein ?? defaultPrecision(devices.kind),
  };
  if (!(precisionAsked.dna && precisionAsked.protein) && !options.quiet) sayDefaultPrecision(devices.kind);
  for (const one of Object.values(precision)) assertPrecisionFits(one, devices);
  const outputDir = await makeOutputFolder(options.outputDir ?? `${defaultName(named)}_predictions`);
  const specs = await Promise.all(named.map((sample) => withFile(sample, outputDir)));
  const run: RunOptions = {
    chunkSize,
    ...(options.batchSequences === undefined ? {} : { batchSequences: options.batchSequences }),
    ...(options.renameDuplicates && { renameDuplicates: true }),
    dnaModel: path.resolve(dnaModel.path),
    proteinModel: path.resolve(proteinModel.path),
    precision,
    tokensPerCall: {
      ...(options.dnabertBatchSize && { 'dnabert-s': options.dnabertBatchSize }),
      ...(options.esmBatchSize && { 'esm-2': options.esmBatchSize }),
    },
    classifier,
    outputDir,
    keepIntermediate: options.keepIntermediate,
    keepEmbeddings: options.keepEmbeddings,
    waveBytes: options.waveBytes,
    device: devices.kind,
    // A GPU is one lane; it is the CPU that several share.
    lanes: devices.kind === 'cpu' ? options.lanes : devices.gpus.length,
    persistent: options.persistentModels,
    keepWarmSeconds: options.keepWarm,
    priority: options.priority,
    ...(options.laneTimeout === undefined ? {} : { laneTimeoutSeconds: options.laneTimeout }),
    heartbeatMs: options.heartbeat * 1000,
    partMs: PART_MS,
    stalledMs: STALLED_CALL_MS,
    cpuQueue: CPU_QUEUE,
  };
  const request = await requestOf(run);
  const asked = { run, specs, request, samples: await digestsOf(specs) };
  const plan = await planRun(asked, options);
  if (plan.done) return reportDone(plan.done, outputDir);
  if (!options.quiet) {
    await warnIfUnverified(options.dnaModel, request.dnaModel, precision['dnabert-s']);
    await warnIfUnverified(options.proteinModel, request.proteinModel, precision['esm-2']);
  }
  const signal = interruption();
  const embedded = await openEmbeddedRun({ ...options, gpus: devices.gpus, signal });
  try {
    // Looked at again: another command may have taken the folder while the server started.
    const planNow = await planRun(asked, options);
    if (planNow.done) reportDone(planNow.done, outputDir);
    else {
      if (!embedded.isSupervisor() && devices.gpus.length > 0) process.stderr.write(`${noteOnDevices(devices)}\n`);
      await runCampaign(embedded, asked, planNow, options, signal);
    }
  } finally {
    await embedded.close();
  }
}

function refuseContradictions({ resume, force, verbose, quiet }: PredictOptions): void {
  const both = resume && force ? '--resume and --force' : verbose && quiet ? '--verbose and --quiet' : undefined;
  if (both !== undefined) throw new OptionError({ what: `${both} contradict each other`, next: 'Give one of them' });
}

async function runCampaign(
  embedded: EmbeddedRun,
  asked: Asked,
  plan: Plan,
  screen: Pick<PredictOptions, 'progress' | 'quiet'>,
  signal: AbortSignal,
): Promise<void> {
  const { run, specs, request, samples } = asked;
  const again = await prepareRun(embedded, asked, plan);
  const workflowId = again ?? runIdOf(specs, { outputDir: run.outputDir, request, samples });
  const record = { workflowId, outputDir: run.outputDir, request, samples };
  // Before the start: a run that nobody knows of could not be gone on with.
  await writeRunRecord(run.outputDir, { ...record, state: 'running' });
  const started = await startCampaign(embedded.client, specs, run, workflowId);
  const said = started.resumed
    ? `Going on with ${workflowId}, with the kind of device, lanes and waiting times it was started with (virnucpro set-max-lanes)`
    : `Started ${workflowId}`;
  cliLog().info({ workflowId, outputDir: run.outputDir }, said);
  if (!screen.quiet) process.stderr.write(`${said}\nTemporal UI: ${embedded.runUrl(workflowId)}\n`);
  const display = openDisplay(process.stderr, screen);
  const show: Show = (progress, troubles) => {
    const outage = embedded.outage();
    display.show(progress, outage === undefined ? troubles : [`the embedded Temporal: ${outage}`, ...troubles]);
  };
  const result = await followCampaign(embedded.client, started.handle, show, signal).finally(() => display.close());
  // While a sample is failed, the same command tries it again.
  const state = result.counts.framesQuarantined > 0 ? 'partial' : 'done';
  if (result.counts.failed === 0) await writeRunRecord(run.outputDir, { ...record, state });
  await reportEnd(result, run.outputDir, screen.quiet);
}

/** Another command's agent may lack them: then lanes come when that command has ended and this one takes its place. */
function noteOnDevices({ said }: ChosenDevices): string {
  return `Another virnucpro runs this machine's agent: if that was started without ${said}, this run waits until it ends`;
}

/** Options that change what comes out; models by the digest of what they hold. */
async function requestOf(run: RunOptions): Promise<RunRequest & { dnaModel: string; proteinModel: string }> {
  const dnabertPrecision = precisionOf(run, 'dnabert-s');
  const esmPrecision = precisionOf(run, 'esm-2');
  return {
    expectedLength: run.chunkSize,
    batchSequences: run.batchSequences ?? 'by size',
    // Only if not the default: runs that were started before there were these options are the same without them.
    ...(run.renameDuplicates && { renameDuplicates: true }),
    ...(dnabertPrecision !== 'fp32' && { dnabertPrecision }),
    ...(esmPrecision !== 'fp32' && { esmPrecision }),
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
  await writeAtomically(arriving, (temporary) => writeFile(temporary, process.stdin));
  // Named by what it holds: another command's input never takes the place of this one's.
  const input = path.join(folder, `stdin-${(await sha256OfFile(arriving)).slice(0, 16)}.fa`);
  await rename(arriving, input);
  return { ...sample, input };
}
