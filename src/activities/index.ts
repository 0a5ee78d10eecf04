/**
 * The entry `virnucpro-temporal/activities`: activities by the worker that runs them, for those who register them
 * without our plugin. Register them under their public names: `activities: prefixed(createCpuActivities())`.
 */
import type { LaneOffer } from '../contract/leases.js';
import { classifySample } from './classify-sample.js';
import { findUnfinished } from './find-unfinished.js';
import { beating } from './heartbeat.js';
import { type HoldLaneDeps, holdLane } from './hold-lane.js';
import { inspectModels } from './inspect-models.js';
import { joinManifests } from './join-manifests.js';
import { planWave } from './plan-wave.js';
import { recordStages } from './record-stages.js';
import { recordWave, summarizeCampaign } from './record-wave.js';
import { splitInput } from './split-input.js';
import { withFailures } from './to-failure.js';
import { writeReport } from './write-report.js';

export { prefixed } from '../contract/activity-names.js';
export type { ClassifySampleInput } from './classify-sample.js';
export type { BatchLane } from './embed-batch.js';
export type { FindUnfinishedInput } from './find-unfinished.js';
export type { HoldLaneDeps, LeasedLane } from './hold-lane.js';
export type { InspectModelsInput } from './inspect-models.js';
export type { JoinManifestsInput } from './join-manifests.js';
export { createLaneActivities, type LaneActivities, type LaneDeps } from './lane-activities.js';
export type { PlanWaveInput, Wave } from './plan-wave.js';
export type { RecordStagesInput } from './record-stages.js';
export type { SplitInputInput } from './split-input.js';
export type { WriteReportInput } from './write-report.js';

/** Activities that need no device, for workers on the CPU queue. */
export type CpuActivities = ReturnType<typeof createCpuActivities>;

/** Activities of a host's lease workers. */
export type LeaseActivities = ReturnType<typeof createLeaseActivities>;

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the inferred type is the interface
export function createCpuActivities() {
  return withFailures({
    inspectModels,
    planWave,
    splitInput,
    joinManifests: beating(joinManifests),
    findUnfinished,
    recordStages,
    classifySample,
    recordWave: beating(recordWave),
    summarizeCampaign: beating(summarizeCampaign),
    writeReport: beating(writeReport),
  });
}

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the inferred type is the interface
export function createLeaseActivities(deps: HoldLaneDeps) {
  return withFailures({ holdLane: (offer: LaneOffer): Promise<void> => holdLane(offer, deps) });
}
