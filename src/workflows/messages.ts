import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import {
  COMMANDS,
  SLICE_COMMAND_SIGNAL,
  type DrainLane,
  type SetMaxLanes,
  type SliceCommand,
} from '../contract/commands.js';
import { LEASE_SIGNALS, type LaneDeclined, type LaneDown, type LaneTaken, type LaneUp } from '../contract/leases.js';
import {
  PROGRESS_QUERY,
  SLICE_REPORT_SIGNAL,
  type CampaignProgress,
  type SliceReport,
  type StageProgress,
} from '../contract/progress.js';

/** From an agent: it cannot serve an offer now, and why. */
export const laneDeclined = defineSignal<[LaneDeclined]>(LEASE_SIGNALS.declined);

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

/** From a campaign to its slices: what a person asked for. */
export const sliceCommand = defineSignal<[SliceCommand]>(SLICE_COMMAND_SIGNAL);

/** Finish the calls under way, save what is there, give the lanes back, and wait. */
export const pause = defineUpdate<void>(COMMANDS.pause);

/** Go on after a pause. */
export const resume = defineUpdate<void>(COMMANDS.resume);

/** Try failed batches again now. */
export const retryFailed = defineUpdate<void>(COMMANDS.retryFailed);

/** Give one lane back, not to be used again before `setMaxLanes`; its batches go elsewhere. */
export const drainLane = defineUpdate<void, [DrainLane]>(COMMANDS.drainLane);

/** Use at most so many lanes from now on, drained ones too. */
export const setMaxLanes = defineUpdate<void, [SetMaxLanes]>(COMMANDS.setMaxLanes);
