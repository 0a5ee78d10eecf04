import type { CampaignProgress, LaneView, StageProgress } from '../contract/progress.js';
import { STAGES } from '../contract/stages.js';

/** In characters, as all that follows. */
const BAR_WIDTH = { least: 8, most: 24 } as const;

const NAME_WIDTH = 10;

/** What a line with name, counts, lanes and time left takes beside its bar. */
const USUAL_TEXT = 68;

/** Terminals narrower than this show no lanes. */
const LANES_FROM_COLUMNS = 60;

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
 * `  cpu:0: 12 done, 300 frames/s   cpu:1: loading`: a line below a stage's bar, with as many of its lanes as fit; none when
 * it has no lane, or the terminal no room.
 */
export function laneLines({ lanes }: ProgressLine, columns: number): string[] {
  if (lanes.length === 0 || columns < LANES_FROM_COLUMNS) return [];
  const severalHosts = new Set(lanes.map(({ host }) => host)).size > 1;
  const texts = lanes.map((lane) => laneText(lane, severalHosts));
  for (let shown = texts.length; shown > 0; shown--) {
    const others = shown < texts.length ? [`and ${texts.length - shown} more`] : [];
    const line = `  ${[...texts.slice(0, shown), ...others].join('   ')}`;
    if (line.length <= columns) return [line];
  }
  return [];
}

function laneText({ host, device, state, done, framesPerSecond }: LaneView, withHost: boolean): string {
  const doing = state === 'up' ? `${done} done` : state === 'starting' ? 'loading' : 'restarting';
  const name = withHost ? `${host}/${device}` : device;
  return joined(`${name}: ${doing}`, framesPerSecond === undefined ? '' : `${rateText(framesPerSecond)} frames/s`);
}

/** `0.25`, `1.2`, `300`. */
export function rateText(rate: number): string {
  return String(rate < 10 ? Number(rate.toPrecision(2)) : Math.round(rate));
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
  return `${rateText(rate)} frames/s, ${duration(Math.max(0, left))} left`;
}

/** `40 s`, `12 min`, `3 h 20 min`, `2 d 4 h`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function joined(...parts: string[]): string {
  return parts.filter((part) => part !== '').join(', ');
}
