import { ArtifactInvalid, OptionError } from '../contract/failures.js';
import type { SampleSpec } from '../contract/run.js';
import { uploadInput } from '../io/transfer.js';
import { isServed } from '../workers/service-answer.js';
import {
  type Show,
  type StartedCampaign,
  completedResult,
  followCampaign,
  isOpen,
  runIdOf,
  startCampaign,
} from './campaign-client.js';
import { openDisplay } from './display.js';
import { finishRun } from './finish-run.js';
import { cliLog } from './log.js';
import type { PredictOptions } from './options/predict-table.js';
import { type Asked, type Plan, hasResults, prepareRun, refuseUsedStore } from './resume.js';
import type { OpenRunClient } from './run-client.js';
import { type RunRecord, writeRunRecord } from './run-record.js';
import { type Service, serviceText } from './service.js';
import { reportEnd } from './summary.js';

/** How a campaign is watched. */
export interface Watching extends Pick<PredictOptions, 'progress' | 'quiet' | 'detach' | 'withAgent'> {
  signal: AbortSignal;
  /** The service that it is on, if it is on one: then an interruption leaves it running. */
  service: Service | undefined;
}

/**
 * Starts the campaign, or goes on with the one that the folder holds, and follows it to its end.
 * @throws RunFailed when it fails; the signal's reason; OptionError when it would be submitted to a service by accident.
 */
export async function runCampaign(server: OpenRunClient, asked: Asked, plan: Plan, how: Watching): Promise<void> {
  const { run, folder, request, samples } = asked;
  const { service, signal, quiet } = how;
  const again = await prepareRun(server, asked, plan);
  const workflowId = again ?? runIdOf(asked.specs, { outputDir: run.outputDir, request, samples });
  const record: RunRecord = {
    workflowId,
    outputDir: folder,
    request,
    samples,
    state: 'running',
    ...(run.outputDir !== folder && { store: run.outputDir }),
    ...(server.service && { service: server.service }),
  };
  if (again !== undefined && (await hasEnded(server, asked, record, quiet))) return;
  if (service !== undefined) await refuseAccident(server, service, workflowId, how.withAgent);
  if (again === undefined && plan.storeIsNew && !(await isOpen(server.client, workflowId)))
    await refuseUsedStore(asked);
  const specs = record.store === undefined ? asked.specs : await uploadedTo(record.store, asked.specs, signal);
  // An interruption before the start leaves nothing to go on with.
  if (service !== undefined) signal.throwIfAborted();
  // Before the start: a run that nobody knows of could not be gone on with.
  await writeRunRecord(folder, record);
  const started = await startCampaign(server.client, specs, run, workflowId);
  sayStarted(server, started, run.outputDir, quiet);
  if (how.detach) return sayLeft(record, quiet);
  const result = await follow(server, started, how).catch((error: unknown) => {
    if (service !== undefined && error === signal.reason) sayLeft(record, quiet);
    throw error;
  });
  await finishRun(result, folder, record);
  await reportEnd(result, folder, quiet);
}

/** Whether the folder's run has ended well while nobody watched; then it is reported as if somebody had. */
async function hasEnded(server: OpenRunClient, asked: Asked, record: RunRecord, quiet: boolean): Promise<boolean> {
  const result = await completedResult(server.client, record.workflowId);
  // With a failed sample the same command tries that again.
  if (result === undefined || result.counts.failed > 0) return false;
  try {
    await finishRun(result, asked.folder, record);
  } catch (error) {
    if (error instanceof ArtifactInvalid) return false;
    throw error;
  }
  if (!(await hasResults(asked))) return false;
  await reportEnd(result, asked.folder, quiet);
  return true;
}

async function uploadedTo(store: string, specs: readonly SampleSpec[], signal: AbortSignal): Promise<SampleSpec[]> {
  const uploaded: SampleSpec[] = [];
  for (const spec of specs) uploaded.push({ ...spec, input: (await uploadInput(store, spec.input, signal)).input });
  return uploaded;
}

function follow(
  server: OpenRunClient,
  { handle }: StartedCampaign,
  { service, signal, ...screen }: Watching,
): ReturnType<typeof followCampaign> {
  const display = openDisplay(process.stderr, screen);
  const show: Show = (progress, troubles) => {
    const outage = server.outage();
    display.show(progress, outage === undefined ? troubles : [outage, ...troubles]);
  };
  const leave = service !== undefined;
  return followCampaign(server.client, handle, show, { signal, leave }).finally(() => display.close());
}

/** A variable that is set for something else must not send a run, with the names of its files, to other people's service. */
async function refuseAccident(
  { client }: OpenRunClient,
  service: Service,
  workflowId: string,
  withAgent: boolean,
): Promise<void> {
  if (service.variable === undefined || withAgent || (await isServed(client)) || (await isOpen(client, workflowId)))
    return;
  throw new OptionError({
    what: 'no virnucpro agent with the role control was seen on this Temporal service within five minutes',
    where: serviceText(service),
    next:
      'Start one (virnucpro worker), serve with this machine (--with-agent) or submit all the same (--service); ' +
      "--no-service runs on this machine's own server",
  });
}

function sayStarted(server: OpenRunClient, started: StartedCampaign, outputDir: string, quiet: boolean): void {
  const { workflowId } = started.handle;
  const said = started.resumed
    ? `Going on with ${workflowId}, with the kind of device, lanes and waiting times it was started with (virnucpro set-max-lanes)`
    : `Started ${workflowId}`;
  cliLog().info({ workflowId, outputDir }, said);
  if (quiet) return;
  const url = server.runUrl?.(workflowId);
  process.stderr.write(url === undefined ? `${said}\n` : `${said}\nTemporal UI: ${url}\n`);
}

function sayLeft({ workflowId, outputDir }: RunRecord, quiet: boolean): void {
  if (quiet) return;
  process.stderr.write(
    `${workflowId} goes on without this command\n` +
      `  watch it:  virnucpro attach ${outputDir}  (or the same command again)\n` +
      `  end it:    virnucpro cancel ${outputDir}\n`,
  );
}
