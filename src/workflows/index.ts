/**
 * The entry `virnucpro-temporal/workflows`, safe to bundle: our workflows, for `export *` from a host's workflow file,
 * and what its own workflows need to call the steps one by one.
 */
export { cpuActivities } from './cpu-activities.js';
export { embedStage } from './embed-stage.js';
export { failureReport } from './failures.js';
export { laneOptions } from './lane-options.js';
export { campaignProgress, stageProgress } from './messages.js';
export { predictCampaign } from './predict-campaign.js';
export { slices } from './slices.js';
export { CONTROL_QUEUE, CPU_QUEUE } from '../contract/queues.js';
export { STAGES, type Stage } from '../contract/stages.js';

export type {
  ClassifySampleInput,
  CpuActivities,
  InspectModelsInput,
  JoinManifestsInput,
  RecordStagesInput,
  SplitInputInput,
  WriteReportInput,
} from '../activities/index.js';
export type { ArtifactRef } from '../contract/artifacts.js';
export type { ClassifierRef, ModelRef } from '../contract/models.js';
export type { CampaignProgress, StageProgress } from '../contract/progress.js';
export type {
  CampaignInput,
  CampaignResult,
  EmbedStageInput,
  EmbedStageResult,
  FailureReport,
  LaneOptions,
  RunModels,
  RunOptions,
  SampleCounts,
  SampleResult,
  SampleSpec,
  SplitOutput,
} from '../contract/run.js';
