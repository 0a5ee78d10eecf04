import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PART_MS, STALLED_CALL_MS } from '../contract/defaults.js';
import { OptionError } from '../contract/failures.js';
import type { Precision } from '../contract/models.js';
import { CPU_QUEUE } from '../contract/queues.js';
import type { RunOptions, SampleSpec } from '../contract/run.js';
import type { Stage } from '../contract/stages.js';
import { readFasta } from '../io/fasta.js';
import { STDIN, readInput } from '../io/input.js';
import { parseS3Uri } from '../io/store-uri.js';
import { sha256OfFile, writeAtomically } from '../io/local-store.js';
import { ownCores } from '../workers/cpu-affinity.js';
import { type ChosenDevices, chooseDevices, lanesElsewhere, parseRunDevices } from './choose-devices.js';
import { chooseServer, openServer } from './choose-server.js';
import { logBesideDisplay } from './log.js';
import { chooseClassifier } from './model-type.js';
import { readConfig } from './options/config-file.js';
import { readOptions } from './options/option-table.js';
import { PREDICT_OPTIONS, type PredictOptions } from './options/predict-table.js';
import { makeOutputFolder } from './output-folder.js';
import { assertPrecisionFits, defaultPrecision, sayDefaultPrecision, warnIfUnverified } from './precision.js';
import { type Asked, planRun } from './resume.js';
import { runCampaign } from './run-campaign.js';
import { digestsOf, requestOf } from './run-request.js';
import { interruption } from './run.js';
import { resolveSamples } from './samples.js';
import { assertFitHere, encoderHere, encoderOnService, inspectModelsHere } from './service-models.js';
import { reportDone } from './summary.js';

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
  const folder = options.outputDir ?? `${defaultName(named)}_predictions`;
  const service = await chooseServer(options, folder);
  if (options.store !== undefined) parseS3Uri(options.store);
  // Before the encoders: what contradicts itself is said first.
  const { classifier, chunkSize, assumed } = await chooseClassifier(options, service !== undefined);
  const encoder = service === undefined ? encoderHere : encoderOnService;
  const dnaModel = await encoder(options.dnaModel);
  const proteinModel = await encoder(options.proteinModel);
  const isHere = service === undefined || options.withAgent;
  const devices = isHere ? await chooseDevices(askedDevices) : lanesElsewhere(askedDevices);
  // Throws where lanes cannot be bound.
  if (options.cpuBind && isHere) await ownCores();
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
  const outputDir = await makeOutputFolder(folder);
  const specs = await Promise.all(named.map((sample) => withFile(sample, outputDir)));
  const run: RunOptions = {
    chunkSize,
    ...(options.batchSequences === undefined ? {} : { batchSequences: options.batchSequences }),
    ...(options.renameDuplicates && { renameDuplicates: true }),
    dnaModel,
    proteinModel,
    precision,
    tokensPerCall: {
      ...(options.dnabertBatchSize && { 'dnabert-s': options.dnabertBatchSize }),
      ...(options.esmBatchSize && { 'esm-2': options.esmBatchSize }),
    },
    classifier,
    outputDir: options.store ?? outputDir,
    keepIntermediate: options.keepIntermediate,
    keepEmbeddings: options.keepEmbeddings,
    waveBytes: options.waveBytes,
    device: devices.kind,
    lanes: lanesOf(devices, options.lanes, service !== undefined),
    persistent: options.persistentModels,
    keepWarmSeconds: options.keepWarm,
    priority: options.priority,
    ...(options.laneTimeout === undefined ? {} : { laneTimeoutSeconds: options.laneTimeout }),
    heartbeatMs: options.heartbeat * 1000,
    partMs: PART_MS,
    stalledMs: STALLED_CALL_MS,
    cpuQueue: CPU_QUEUE,
  };
  const models = await inspectModelsHere(run);
  const request = requestOf(run, models);
  const asked = { run, folder: outputDir, specs, request, samples: await digestsOf(specs), service };
  const plan = await planRun(asked, options);
  if (plan.done) return reportDone(plan.done, outputDir);
  const signal = interruption();
  if (plan.again === undefined) {
    assertFitHere(models);
    if (service !== undefined) await checkLoneInput(asked, signal);
  }
  if (service === undefined && !options.quiet) {
    await warnIfUnverified(options.dnaModel, request.dnaModel, precision['dnabert-s']);
    await warnIfUnverified(options.proteinModel, request.proteinModel, precision['esm-2']);
  }
  const server = await openServer(service, { ...options, gpus: devices.gpus, outputDir, signal });
  try {
    // Looked at again: another command may have taken the folder while the server started.
    const planNow = await planRun(asked, options);
    if (planNow.done) reportDone(planNow.done, outputDir);
    else {
      if (server.isSupervisor?.() === false && devices.gpus.length > 0) {
        process.stderr.write(`${noteOnDevices(devices)}\n`);
      }
      await runCampaign(server, asked, planNow, { ...options, signal, service });
    }
  } finally {
    await server.close();
  }
}

function refuseContradictions({ resume, force, verbose, quiet }: PredictOptions): void {
  const both = resume && force ? '--resume and --force' : verbose && quiet ? '--verbose and --quiet' : undefined;
  if (both !== undefined) throw new OptionError({ what: `${both} contradict each other`, next: 'Give one of them' });
}

/** A GPU is one lane; it is the CPU that several share. On a service there may be more of them than this machine has. */
function lanesOf({ kind, gpus }: ChosenDevices, lanes: number, onService: boolean): number {
  if (kind === 'cpu') return lanes;
  return onService ? Math.max(gpus.length, lanes) : gpus.length;
}

/**
 * Reads a lone input to its end: on a service people would wait to be told that it is no FASTA file. A bad sample among many
 * fails alone.
 */
async function checkLoneInput({ run, specs }: Asked, signal: AbortSignal): Promise<void> {
  const [sample] = specs;
  if (specs.length > 1) return;
  const { renameDuplicates = false } = run;
  const records = readFasta(readInput(sample!.input, { signal }), sample!.input, { renameDuplicates, signal });
  while (!(await records.next()).done);
}

/** Another command's agent may lack them: then lanes come when that command has ended and this one takes its place. */
function noteOnDevices({ said }: ChosenDevices): string {
  return `Another virnucpro runs this machine's agent: if that was started without ${said}, this run waits until it ends`;
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
