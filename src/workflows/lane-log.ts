import { LANE_SPANS } from '../contract/defaults.js';
import type { LaneUp } from '../contract/leases.js';
import type { LaneFigures } from '../contract/progress.js';
import type { EmbedBatchOutput, LaneRecord, LaneSpan } from '../contract/run.js';

/**
 * Writes down which lane served when, and what it did: for people, once the run is over. A plain class; times are epoch
 * milliseconds.
 */
export class LaneLog {
  private readonly lanes = new Map<string, LaneRecord>();
  /** Processes that serve now, by lease. */
  private readonly serving = new Map<string, { pid: number; record: LaneRecord; span: LaneSpan }>();

  up(lane: LaneUp, now: number): void {
    if (this.serving.get(lane.lease)?.pid === lane.pid) return;
    this.lost(lane.lease, now);
    const record = this.recordOf(lane);
    if (lane.loadSeconds > 0) record.modelLoads += 1;
    const span: LaneSpan = { from: now - Math.round(lane.loadSeconds * 1000), ready: now, to: now };
    record.spans.push(span);
    this.serving.set(lane.lease, { pid: lane.pid, record, span });
  }

  finished(lane: LaneUp, output: EmbedBatchOutput): void {
    const record = this.recordOf(lane);
    record.batches += 1;
    record.frames += output.frames;
    record.tokens += output.tokens;
    record.busySeconds += output.seconds;
    record.modelLoads += output.modelLoads;
    Object.assign(record, sumOfFigures(record.figures, output.lane));
  }

  /** The run gives the lease back. */
  ended(lease: string, now: number): void {
    const served = this.serving.get(lease);
    if (served === undefined) return;
    this.serving.delete(lease);
    served.span.to = now;
    served.record.spans = joinSpans(served.record.spans);
  }

  /** The process, or the host under it, went away by itself. What has {@link ended} cannot be lost. */
  lost(lease: string, now: number): void {
    const served = this.serving.get(lease);
    if (served === undefined) return;
    served.record.losses += 1;
    served.span.lost = true;
    this.ended(lease, now);
  }

  /** Frames a second of model calls; undefined before the first batch. */
  framesPerSecond({ host, device }: { host: string; device: string }): number | undefined {
    const record = this.lanes.get(`${host}/${device}`);
    return record === undefined || record.busySeconds === 0 ? undefined : record.frames / record.busySeconds;
  }

  /** What a lane last said of itself; undefined before its first batch. */
  figures({ host, device }: { host: string; device: string }): LaneFigures | undefined {
    return this.lanes.get(`${host}/${device}`)?.figures;
  }

  records(): LaneRecord[] {
    return [...this.lanes.values()];
  }

  private recordOf({ host, device }: LaneUp): LaneRecord {
    const lane = `${host}/${device}`;
    let record = this.lanes.get(lane);
    if (record === undefined) this.lanes.set(lane, (record = emptyRecord(lane)));
    return record;
  }
}

/** Joins what several slices of a stage say of the same lanes. */
export function joinRecords(records: readonly LaneRecord[]): LaneRecord[] {
  const lanes = new Map<string, LaneRecord>();
  for (const record of records) {
    const sum = lanes.get(record.lane) ?? emptyRecord(record.lane);
    lanes.set(record.lane, {
      lane: record.lane,
      batches: sum.batches + record.batches,
      frames: sum.frames + record.frames,
      tokens: sum.tokens + record.tokens,
      busySeconds: sum.busySeconds + record.busySeconds,
      modelLoads: sum.modelLoads + record.modelLoads,
      losses: sum.losses + record.losses,
      ...sumOfFigures(sum.figures, record.figures),
      spans: joinSpans([...sum.spans, ...record.spans]),
    });
  }
  return [...lanes.values()];
}

/** What is known of a lane, from two batches or slices: its highest peak, its smallest calls. */
function sumOfFigures(a: LaneFigures | undefined, b: LaneFigures | undefined): Pick<LaneRecord, 'figures'> {
  const known = [a, b].filter((figures) => figures !== undefined);
  if (known.length === 0) return {};
  const reducedFrom = a?.reducedFrom ?? b?.reducedFrom;
  return {
    figures: {
      peakBytes: Math.max(...known.map(({ peakBytes }) => peakBytes)),
      tokensPerCall: Math.min(...known.map(({ tokensPerCall }) => tokensPerCall)),
      ...(reducedFrom === undefined ? {} : { reducedFrom }),
    },
  };
}

/** In order and at most LANE_SPANS: those with the shortest gaps between them become one. */
function joinSpans(spans: readonly LaneSpan[]): LaneSpan[] {
  const joined = [...spans].sort((a, b) => a.from - b.from);
  while (joined.length > LANE_SPANS) {
    const gaps = joined.slice(1).map((span, i) => span.from - joined[i]!.to);
    const at = gaps.indexOf(Math.min(...gaps));
    const [first, second] = joined.slice(at) as [LaneSpan, LaneSpan];
    joined.splice(at, 2, { ...second, from: first.from, ready: first.ready });
  }
  return joined;
}

function emptyRecord(lane: string): LaneRecord {
  return { lane, batches: 0, frames: 0, tokens: 0, busySeconds: 0, modelLoads: 0, losses: 0, spans: [] };
}
