import type { CampaignProgress, LaneView, StageProgress } from '../contract/progress.js';
import { STAGES } from '../contract/stages.js';
import { rateText, timeText } from '../io/figure-text.js';

/** In characters, as all that follows. */
const BAR_WIDTH = { least: 8, most: 24 } as const;

const NAME_WIDTH = 10;

/** What a line with name, counts, lanes and time left takes beside its bar. */
const USUAL_TEXT = 68;

/** Terminals narrower than this show no lanes. */
const LANES_FROM_COLUMNS = 60;

/** Lines that the lanes of a stage may take. */
const MOST_LANES = 8;

const INDENT = '  ';

/** One line of the display: a step of the run with how far it is. */
export interface ProgressLine {
  name: string;
  done: number;
  total: number;
  note: string;
  /** Rate and time left, e.g. `12 frames/s, 3 min left`; empty while nothing is known. */
  pace: string;
  /** Lanes at work on it. */
  lanes: readonly LaneView[];
}

/**
 * The run as lines: split, one per stage, classify.
 * @param now epoch milliseconds.
 */
export function progressLines(progress: CampaignProgress, now = Date.now()): ProgressLine[] {
  const { samples, stages, frames } = progress;
  const failed = samples.failed > 0 ? `${samples.failed} failed` : '';
  return [
    { name: 'split', done: samples.split, total: samples.total, note: `${frames} frames`, pace: '', lanes: [] },
    ...STAGES.map((stage) => ({
      name: stage,
      done: stages[stage].done,
      total: stages[stage].batches,
      note: stageNote(stages[stage]),
      pace: stagePace(stages[stage], frames, now),
      lanes: stages[stage].lanes,
    })),
    { name: 'classify', done: samples.done, total: samples.total, note: failed, pace: '', lanes: [] },
  ];
}

/**
 * `dnabert-s  ████████░░░░ 4/7  2 lanes, 12 frames/s, 3 min left`, for terminals. What does not fit stands below, in whole
 * words.
 */
export function barLines({ name, done, total, note, pace }: ProgressLine, columns: number): string[] {
  const start = `${name.padEnd(NAME_WIDTH)} ${bar(done, total, columns)} ${done}/${total}`;
  const text = joined(note, pace);
  const line = `${start}  ${text}`.trimEnd();
  if (line.length <= columns) return [line];
  return [start, ...wrapped(text, columns - NAME_WIDTH - 1).map((part) => `${' '.repeat(NAME_WIDTH + 1)}${part}`)];
}

/** `████████░░░░`: shorter on narrow terminals, the same for all lines of one. */
export function bar(done: number, total: number, columns: number): string {
  const width = Math.max(BAR_WIDTH.least, Math.min(BAR_WIDTH.most, columns - USUAL_TEXT));
  const filled = total === 0 ? 0 : Math.round((width * done) / total);
  return '█'.repeat(filled) + '░'.repeat(width - filled);
}

/**
 * `  cpu:0    ██████░░░░░░ 12 done, 300 frames/s`: the lanes of a stage below its bar, each with its share of the stage's
 * file batches; none on a terminal without room. Of many, the first.
 */
export function laneLines({ lanes, total }: ProgressLine, columns: number): string[] {
  if (columns < LANES_FROM_COLUMNS) return [];
  const severalHosts = new Set(lanes.map(({ host }) => host)).size > 1;
  const shown = lanes.slice(0, lanes.length > MOST_LANES ? MOST_LANES - 1 : MOST_LANES);
  const names = shown.map(({ host, device }) => (severalHosts ? `${host}/${device}` : device));
  const width = Math.max(NAME_WIDTH - INDENT.length, ...names.map((name) => name.length));
  const lines = shown.map((lane, i) => {
    const line = `${INDENT}${names[i]!.padEnd(width)} ${bar(lane.done, total, columns)} ${laneText(lane)}`;
    return line.length <= columns ? line : `${INDENT}${names[i]}: ${laneText(lane)}`;
  });
  return lanes.length > shown.length ? [...lines, `${INDENT}and ${lanes.length - shown.length} more lanes`] : lines;
}

function laneText({ state, done, framesPerSecond }: LaneView): string {
  const doing = state === 'up' ? `${done} done` : state === 'starting' ? 'loading' : 'restarting';
  return joined(doing, framesPerSecond === undefined ? '' : `${rateText(framesPerSecond)} frames/s`);
}

function wrapped(text: string, width: number): string[] {
  return text.match(new RegExp(`\\S.{0,${Math.max(0, width - 1)}}(?=\\s|$)|\\S+`, 'g')) ?? [];
}

/** `dnabert-s: 4/7, 2 lanes`, for logs and pipes. */
export function plainLine({ name, done, total, note, pace }: ProgressLine): string {
  return joined(`${name}: ${done}/${total}`, note, pace);
}

function stageNote({ lanes, waitingFor, failed, modelLoads, paused }: StageProgress): string {
  const up = lanes.filter((lane) => lane.state === 'up').length;
  const starting = lanes.filter((lane) => lane.state === 'starting').length;
  return joined(
    up > 0 ? `${up} ${up === 1 ? 'lane' : 'lanes'}` : '',
    starting > 0 ? `${starting} loading the model` : '',
    failed > 0 ? `${failed} failed` : '',
    modelLoads > 0 ? `${modelLoads} model ${modelLoads === 1 ? 'load' : 'loads'}` : '',
    waitingFor === undefined ? '' : `waiting for ${waitingFor}`,
    paused ? 'paused (virnucpro resume)' : '',
  );
}

/**
 * What the lanes have done a second while they were at work, and how long the rest takes them at that. File batches
 * are taken to be of one size.
 */
function stagePace(stage: StageProgress, framesOfAll: number, now: number): string {
  const { batches, done, frames, busySeconds = 0, reportedAt = now } = stage;
  if (frames === 0 || busySeconds === 0 || done === batches || stage.paused) return '';
  const rate = frames / busySeconds;
  const left = ((framesOfAll / batches) * (batches - done)) / rate - (now - reportedAt) / 1000;
  return `${rateText(rate)} frames/s, ${timeText(Math.max(0, left))} left`;
}

function joined(...parts: string[]): string {
  return parts.filter((part) => part !== '').join(', ');
}
