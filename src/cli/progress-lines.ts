import type { CampaignProgress, StageProgress } from '../contract/progress.js';
import { STAGES } from '../contract/stages.js';

const BAR_WIDTH = 24;

/** One line of the display: a step of the run with how far it is. */
export interface ProgressLine {
  name: string;
  done: number;
  total: number;
  note: string;
}

/** The run as lines: split, one per stage, classify. */
export function progressLines(progress: CampaignProgress): ProgressLine[] {
  const { samples, stages } = progress;
  return [
    { name: 'split', done: samples.split, total: samples.total, note: `${progress.frames} frames` },
    ...STAGES.map((stage) => ({
      name: stage,
      done: stages[stage].done,
      total: stages[stage].batches,
      note: stageNote(stages[stage]),
    })),
    { name: 'classify', done: samples.done, total: samples.total, note: '' },
  ];
}

/** `dnabert-s  ████████░░░░  4/7  2 lanes`, for terminals. */
export function barLine({ name, done, total, note }: ProgressLine): string {
  const filled = total === 0 ? 0 : Math.round((BAR_WIDTH * done) / total);
  return `${name.padEnd(10)} ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${done}/${total}  ${note}`.trimEnd();
}

/** `dnabert-s: 4/7, 2 lanes`, for logs and pipes. */
export function plainLine({ name, done, total, note }: ProgressLine): string {
  return `${name}: ${done}/${total}${note === '' ? '' : `, ${note}`}`;
}

function stageNote({ lanes, waitingFor, failed, modelLoads }: StageProgress): string {
  const up = lanes.filter((lane) => lane.state === 'up').length;
  const starting = lanes.filter((lane) => lane.state === 'starting').length;
  return [
    up > 0 ? `${up} ${up === 1 ? 'lane' : 'lanes'}` : '',
    starting > 0 ? `${starting} loading the model` : '',
    failed > 0 ? `${failed} failed` : '',
    modelLoads > 0 ? `${modelLoads} model ${modelLoads === 1 ? 'load' : 'loads'}` : '',
    waitingFor === undefined ? '' : `waiting for ${waitingFor}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}
