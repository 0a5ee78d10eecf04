import type { MetricMeter, MetricTags } from '@temporalio/common';
import type { BatchFigures } from '../activities/embed-batch.js';
import { type Device, deviceName } from '../contract/devices.js';
import { REFUSAL_REASONS } from '../contract/run.js';
import { STAGES, type Stage } from '../contract/stages.js';

/** What a lane's process does: it loads, it serves a lease, or it keeps its model for the next one. */
export const LANE_STATES = ['starting', 'up', 'warm'] as const;

/** One of {@link LANE_STATES}. */
export type LaneState = (typeof LANE_STATES)[number];

/**
 * Why a lane's process ended that was not asked to: it crashed or did not start, the system killed it for memory, it hung,
 * its device failed the self-test, or a signal came from elsewhere.
 */
export const LOSS_CAUSES = ['crash', 'memory', 'hung', 'sick', 'killed'] as const;

/** One of {@link LOSS_CAUSES}. */
export type LossCause = (typeof LOSS_CAUSES)[number];

/** Bounds of a batch's seconds: from tiny models to a large one on a slow CPU. */
export const BATCH_SECONDS_BUCKETS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400];

/** Name of the histogram that {@link BATCH_SECONDS_BUCKETS} are for. */
export const BATCH_SECONDS = 'virnucpro_batch_seconds';

/** What one lane's process reports about itself. */
export interface LaneMetrics {
  /** From now on; undefined when the process is gone. */
  state(state: LaneState | undefined): void;
  loaded(): void;
  finished(batch: BatchFigures): void;
  lost(cause: LossCause): void;
}

/**
 * A host's own metrics, on whatever meter its process has: docs/metrics.md explains each. The labels are bounded: host,
 * stage, device, and the states, causes and reasons that the contract names. Every series is there from the start.
 */
export class HostMetrics {
  private readonly frames;
  private readonly tokens;
  private readonly batchSeconds;
  private readonly modelLoads;
  private readonly starts;
  private readonly losses;
  private readonly quarantined;
  private readonly lanes;
  private readonly peakBytes;
  private readonly retiredDevices;
  /** Processes by series of the gauge `lanes`. */
  private readonly counts = new Map<string, number>();

  constructor(
    meter: MetricMeter,
    private readonly host: string,
    devices: readonly Device[],
  ) {
    this.frames = meter.createCounter('virnucpro_frames', '', 'Frames embedded');
    this.tokens = meter.createCounter('virnucpro_tokens', '', 'Tokens embedded, without padding');
    this.batchSeconds = meter.createHistogram(BATCH_SECONDS, 'float', '', 'Seconds of model calls of a file batch');
    this.modelLoads = meter.createCounter('virnucpro_model_loads', '', 'Models loaded');
    this.starts = meter.createCounter('virnucpro_lane_starts', '', 'Lane processes started');
    this.losses = meter.createCounter('virnucpro_lane_losses', '', 'Lane processes that ended unasked');
    this.quarantined = meter.createCounter('virnucpro_quarantined_frames', '', 'Frames left out of finished batches');
    this.lanes = meter.createGauge('virnucpro_lanes', 'int', '', 'Lane processes by state');
    this.peakBytes = meter.createGauge('virnucpro_lane_peak_bytes', 'int', '', 'Most memory of the lane process');
    this.retiredDevices = meter.createGauge('virnucpro_device_retired', 'int', '', '1 when taken out of service');
    for (const device of devices) {
      this.retiredDevices.set(0, this.tagsOf(device));
      for (const stage of STAGES) this.startAtZero({ ...this.tagsOf(device), stage });
    }
  }

  /** A lane's process that is being started. */
  lane(device: Device, stage: Stage): LaneMetrics {
    const tags = { ...this.tagsOf(device), stage };
    let now: LaneState | undefined;
    const state = (next: LaneState | undefined): void => {
      if (now !== undefined) this.count(-1, { ...tags, state: now });
      if (next !== undefined) this.count(1, { ...tags, state: next });
      else this.peakBytes.set(0, tags);
      now = next;
    };
    this.starts.add(1, tags);
    state('starting');
    return {
      state,
      loaded: () => this.modelLoads.add(1, tags),
      finished: ({ frames, tokens, seconds, modelLoads, lane, quarantined }) => {
        this.frames.add(frames, tags);
        this.tokens.add(tokens, tags);
        this.modelLoads.add(modelLoads, tags);
        this.batchSeconds.record(seconds, tags);
        if (lane !== undefined) this.peakBytes.set(lane.peakBytes, tags);
        for (const reason of REFUSAL_REASONS) this.quarantined.add(quarantined[reason] ?? 0, { ...tags, reason });
      },
      lost: (cause) => this.losses.add(1, { ...tags, cause }),
    };
  }

  /** The device is out of service until the agent is started again. */
  retired(device: Device): void {
    this.retiredDevices.set(1, this.tagsOf(device));
  }

  private tagsOf(device: Device): MetricTags {
    return { host: this.host, device: deviceName(device) };
  }

  private startAtZero(tags: MetricTags): void {
    for (const counter of [this.frames, this.tokens, this.modelLoads, this.starts]) counter.add(0, tags);
    for (const cause of LOSS_CAUSES) this.losses.add(0, { ...tags, cause });
    for (const reason of REFUSAL_REASONS) this.quarantined.add(0, { ...tags, reason });
    for (const state of LANE_STATES) this.count(0, { ...tags, state });
    this.peakBytes.set(0, tags);
  }

  private count(change: number, tags: MetricTags): void {
    const series = JSON.stringify(Object.entries(tags).sort());
    const processes = (this.counts.get(series) ?? 0) + change;
    this.counts.set(series, processes);
    this.lanes.set(processes, tags);
  }
}
