import type { CampaignProgress, LaneView, StageProgress } from '../contract/progress.js';
import { STAGES, type Stage } from '../contract/stages.js';

/** Markdown that the Temporal UI shows while a stage run is open. */
export function stageDetails(stage: Stage, progress: StageProgress): string {
  return withLanes([stageLine(stage, progress)], { [stage]: progress });
}

/** Markdown that the Temporal UI shows while a campaign is open. Its pane is low: what matters comes first. */
export function campaignDetails(progress: CampaignProgress): string {
  const { samples, stages } = progress;
  const lines = [
    `**${progress.state}**: ${samples.done} of ${samples.total} samples done, ${samples.failed} failed, ` +
      `${progress.frames} frames`,
    ...progress.warnings.map((warning) => `**Warning**: ${warning}`),
    ...STAGES.filter((stage) => stages[stage].batches > 0).map((stage) => stageLine(stage, stages[stage])),
  ];
  return withLanes(lines, stages);
}

function stageLine(stage: Stage, { done, batches, failed, waitingFor }: StageProgress): string {
  return (
    `**${stage}**: ${done} of ${batches} file batches done${failed > 0 ? `, ${failed} failed` : ''}` +
    `${waitingFor ? `, waiting for ${waitingFor}` : ''}`
  );
}

/** A list, and one table of all lanes below it. */
function withLanes(lines: string[], stages: Partial<Record<Stage, StageProgress>>): string {
  const lanes = STAGES.flatMap((stage) => (stages[stage]?.lanes ?? []).map((lane) => laneRow(stage, lane)));
  const head = ['', '| lane | stage | state | pid | running | done | frames/s |', '|---|---|---|---|---|---|---|'];
  return [...lines.map((line) => `- ${line}`), ...(lanes.length > 0 ? [...head, ...lanes] : [])].join('\n');
}

function laneRow(stage: Stage, { host, device, state, pid, running, done, framesPerSecond }: LaneView): string {
  return `| ${host}/${device} | ${stage} | ${state} | ${pid || ''} | ${running} | ${done} | ${framesPerSecond?.toPrecision(3) ?? ''} |`;
}
