import { proxyActivities } from '@temporalio/workflow';
import type { CpuActivities } from '../activities/index.js';
import { type Prefixed, unprefixed } from '../contract/activity-names.js';
import { LONG_ACTIVITY } from '../contract/defaults.js';
import type { LaneOptions } from '../contract/run.js';

/**
 * The activities that need no device, as a workflow calls them. They retry what can get better (a full disk, an absent
 * store) until it does, and fail with the types of contract/failures.ts otherwise.
 * @param summary what the Temporal UI shows beside each call.
 */
export function cpuActivities(
  { cpuQueue, heartbeatMs }: Pick<LaneOptions, 'cpuQueue' | 'heartbeatMs'>,
  summary?: string,
): CpuActivities {
  return unprefixed(
    proxyActivities<Prefixed<CpuActivities>>({
      taskQueue: cpuQueue,
      startToCloseTimeout: LONG_ACTIVITY,
      heartbeatTimeout: heartbeatMs,
      retry: { maximumInterval: '1 minute' },
      ...(summary === undefined ? {} : { summary }),
    }),
  );
}
