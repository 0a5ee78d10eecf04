import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { OptionError } from '../contract/failures.js';
import type { Gpu } from './choose-devices.js';
import { openEmbeddedRun } from './embedded-run.js';
import type { PredictOptions } from './options/predict-table.js';
import type { OpenRunClient } from './run-client.js';
import { readRunRecord } from './run-record.js';
import { openServiceRun } from './service-run.js';
import { type Service, chooseService, recordedService, serviceText } from './service.js';

/**
 * The service that a `predict` runs on, undefined for this machine's embedded server: as options and environment say, else
 * where the run of its folder is under way. Says it on standard error.
 * @throws OptionError when options contradict each other or the environment's configuration cannot be read.
 */
export async function chooseServer(options: PredictOptions, folder: string): Promise<Service | undefined> {
  const service = chooseService(options.service, process.env) ?? (await serviceIn(folder, options));
  const { detach, withAgent } = options;
  if (detach && withAgent) {
    throw new OptionError({
      what: '--detach and --with-agent',
      next: 'Give one of them: the agent ends with the command. virnucpro worker serves for longer',
    });
  }
  if (service === undefined && (detach || withAgent)) {
    throw new OptionError({
      what: `${detach ? '--detach' : '--with-agent'} is for a Temporal service, and none is configured`,
      next: 'Set TEMPORAL_ADDRESS, or give --service; on this machine alone the run lives as long as its command',
    });
  }
  if (service !== undefined && !options.quiet) {
    const { variable } = service;
    const why = variable === undefined ? '' : `, as ${variable} is set; --no-service stays on this machine`;
    process.stderr.write(`Temporal service: ${serviceText(service)}${why}\n`);
  }
  return service;
}

/** Where a `predict` runs, ready for it. */
export function openServer(
  service: Service | undefined,
  options: Omit<PredictOptions, 'gpus'> & { gpus: readonly Gpu[]; outputDir: string; signal: AbortSignal },
): Promise<OpenRunClient> {
  if (service === undefined) return openEmbeddedRun(options);
  const { lanes, threads, cpuBind, gpus, outputDir } = options;
  return openServiceRun(service, {
    waitSeconds: options.connectTimeout,
    signal: options.signal,
    say: (line) => process.stderr.write(`${line}\n`),
    agent: options.withAgent
      ? { lanes, threads, cpuBind, gpus, logFolder: path.join(outputDir, '.virnucpro') }
      : undefined,
  });
}

async function serviceIn(folder: string, { service, force }: PredictOptions): Promise<Service | undefined> {
  if (service === false || force) return undefined;
  // A record that cannot be read is told of later, with what to do.
  const record = await readRunRecord(folder).catch(() => undefined);
  if (record?.state !== 'running' || record.service === undefined) return undefined;
  return record.outputDir === (await realpath(folder)) ? recordedService(record.service, process.env) : undefined;
}
