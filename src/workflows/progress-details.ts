import type { CampaignProgress, StageProgress } from '../contract/progress.js';
import { STAGES, type Stage } from '../contract/stages.js';

/** Markdown that the Temporal UI shows while a stage run is open. */
export function stageDetails(stage: Stage, progress: StageProgress): string {
  const lanes = progress.lanes.map(
    ({ host, device, state, pid, running, done, peakBytes }) =>
      `| ${host}/${device} | ${state} | ${pid || ''} | ${running} | ${done} | ${peakBytes ? Math.round(peakBytes / 1e6) : ''} |`,
  );
  return [
    `**${stage}**: ${progress.done} of ${progress.batches} file batches done` +
      `${progress.failed > 0 ? `, ${progress.failed} failed` : ''}` +
      `${progress.waitingFor ? `, waiting for ${progress.waitingFor}` : ''}`,
    ...(lanes.length > 0
      ? ['', '| lane | state | pid | running | done | peak MB |', '|---|---|---|---|---|---|', ...lanes]
      : []),
  ].join('\n');
}

/** Markdown that the Temporal UI shows while a campaign is open. */
export function campaignDetails(progress: CampaignProgress): string {
  const { samples } = progress;
  return [
    `**${progress.state}**: ${samples.done} of ${samples.total} samples done, ${samples.failed} failed, ` +
      `${progress.frames} frames`,
    ...progress.warnings.map((warning) => `\n**Warning**: ${warning}`),
    ...STAGES.map((stage) => `\n${stageDetails(stage, progress.stages[stage])}`),
  ].join('\n');
}
