import { workflowInfo } from '@temporalio/workflow';
import { HEARTBEAT_MS, KEEP_WARM_SECONDS, PART_MS, PRIORITY, STALLED_CALL_MS } from '../contract/defaults.js';
import type { LaneOptions } from '../contract/run.js';

/**
 * Lane options with the command line's defaults: one CPU lane, persistent. Activities without a model are expected on
 * the calling workflow's own task queue, where a worker that lists our plugin has them.
 */
export function laneOptions(options: Partial<LaneOptions> = {}): LaneOptions {
  return {
    device: 'cpu',
    lanes: 1,
    persistent: true,
    keepWarmSeconds: KEEP_WARM_SECONDS,
    priority: PRIORITY,
    heartbeatMs: HEARTBEAT_MS,
    partMs: PART_MS,
    stalledMs: STALLED_CALL_MS,
    cpuQueue: workflowInfo().taskQueue,
    ...options,
  };
}

/** The lane options among a run's, as its slices get them. */
export function pickLaneOptions(options: LaneOptions): LaneOptions {
  const { device, lanes, persistent, keepWarmSeconds, priority, laneTimeoutSeconds } = options;
  const { heartbeatMs, partMs, stalledMs, cpuQueue } = options;
  return {
    ...{ device, lanes, persistent, keepWarmSeconds, priority, heartbeatMs, partMs, stalledMs, cpuQueue },
    ...(laneTimeoutSeconds === undefined ? {} : { laneTimeoutSeconds }),
  };
}
