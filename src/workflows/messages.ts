import { defineQuery, defineSignal } from '@temporalio/workflow';
import { LEASE_SIGNALS, type LaneDown, type LaneTaken, type LaneUp } from '../contract/leases.js';
import {
  PROGRESS_QUERY,
  SLICE_REPORT_SIGNAL,
  type CampaignProgress,
  type SliceReport,
  type StageProgress,
} from '../contract/progress.js';

/** From an agent: it accepted an offer and prepares the device. */
export const laneTaken = defineSignal<[LaneTaken]>(LEASE_SIGNALS.taken);

/** From an agent: the lane's queue is polled and its model loaded. */
export const laneUp = defineSignal<[LaneUp]>(LEASE_SIGNALS.up);

/** From an agent: the lane's process is gone. */
export const laneDown = defineSignal<[LaneDown]>(LEASE_SIGNALS.down);

/** From a slice to its campaign: coarse progress. */
export const sliceReport = defineSignal<[SliceReport]>(SLICE_REPORT_SIGNAL);

/** What a campaign is doing; also answered by a stage run for itself. */
export const campaignProgress = defineQuery<CampaignProgress>(PROGRESS_QUERY);

/** What one slice is doing. */
export const stageProgress = defineQuery<StageProgress>(PROGRESS_QUERY);
