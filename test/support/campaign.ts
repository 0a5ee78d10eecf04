import path from 'node:path';
import type { Client } from '@temporalio/client';
import { followCampaign, runIdOf, startCampaign } from '../../src/cli/campaign-client.js';
import { PRIORITY } from '../../src/contract/defaults.js';
import { CPU_QUEUE } from '../../src/contract/queues.js';
import type { CampaignResult, RunOptions, SampleSpec } from '../../src/contract/run.js';
import { inputStem } from '../../src/io/input.js';
import { goldenModels } from './golden.js';

/** Options of a run with the tiny models and short heartbeats. */
export function testRunOptions(outputDir: string, options: Partial<RunOptions> = {}): RunOptions {
  return {
    ...goldenModels,
    chunkSize: 500,
    outputDir,
    keepIntermediate: false,
    keepEmbeddings: false,
    device: 'cpu',
    lanes: 1,
    persistent: true,
    keepWarmSeconds: 0,
    priority: PRIORITY,
    heartbeatMs: 3000,
    partMs: 1000,
    stalledMs: 10_000,
    cpuQueue: CPU_QUEUE,
    ...options,
  };
}

/** One input as a sample. */
export function sampleOf(input: string, prefix = ''): SampleSpec {
  const stem = inputStem(input);
  return { name: stem, input: path.resolve(input), stem, prefix };
}

/** Runs a campaign over one input to its end. */
export async function predictOnce(client: Client, input: string, options: RunOptions): Promise<CampaignResult> {
  const { handle } = await startCampaign(client, [sampleOf(input)], options, runIdOf([sampleOf(input)], options));
  return followCampaign(client, handle, () => {});
}
