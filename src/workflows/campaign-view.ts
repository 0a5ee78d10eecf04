import type { CampaignProgress, SliceReport, StageProgress } from '../contract/progress.js';
import type { CampaignCounts, EmbedStageResult, StageWarnings } from '../contract/run.js';
import { STAGES, type Stage } from '../contract/stages.js';
import { StageClock } from './stage-clock.js';

/**
 * What a campaign knows of its samples and of its wave's stages, gathered from activities' results and slices' reports. A
 * plain class.
 */
export class CampaignView {
  state: CampaignProgress['state'] = 'inspecting';
  readonly samples: CampaignProgress['samples'];
  frames = 0;
  private readonly batches = new Map<Stage, number>();
  private readonly clocks = new Map<Stage, StageClock>();
  private readonly ended = new Set<string>();
  private readonly slices = new Map<string, { stage: Stage; progress: StageProgress }>();

  /**
   * @param total samples of the whole campaign.
   * @param before how the samples of earlier waves ended.
   * @param warnings what they warned of; more are added.
   */
  constructor(
    total: number,
    private readonly before: CampaignCounts,
    readonly warnings: StageWarnings = {},
  ) {
    const { done, failed } = before;
    this.samples = { total, split: done + failed, done, failed };
  }

  /**
   * Forgets what an earlier attempt at this wave counted.
   * @param finished samples of the wave that need nothing more.
   */
  startWave(finished: number): void {
    const { done, failed } = this.before;
    Object.assign(this.samples, { split: done + failed + finished, done: done + finished, failed });
    this.frames = 0;
    this.batches.clear();
    this.clocks.clear();
    this.slices.clear();
    this.ended.clear();
  }

  startStage(stage: Stage, batches: number): void {
    this.batches.set(stage, batches);
    this.clocks.set(stage, new StageClock());
  }

  /** @param now epoch milliseconds, here and below. */
  slice({ slice, stage, progress }: SliceReport, now: number): void {
    // A report can arrive after the slice's result, which is final.
    if (this.ended.has(slice)) return;
    this.slices.set(slice, { stage, progress });
    this.tick(stage, now);
  }

  sliceDone(slice: string, stage: Stage, batches: number, result: EmbedStageResult, now: number): void {
    const { frames, tokens, modelLoads, failed } = result;
    this.ended.add(slice);
    this.slices.set(slice, {
      stage,
      progress: {
        batches,
        done: batches - failed.length,
        failed: failed.length,
        frames,
        tokens,
        modelLoads,
        lanes: [],
      },
    });
    this.tick(stage, now);
  }

  /**
   * Warns when models that should stay loaded did not (each lane should have loaded its own once), and when calls did not
   * fit a lane's memory.
   */
  stageDone(
    stage: Stage,
    persistent: boolean,
    { modelLoads, lanes }: Pick<EmbedStageResult, 'modelLoads' | 'lanes'>,
  ): void {
    const said: string[] = [];
    if (persistent && modelLoads > lanes.length) {
      said.push(
        `persistent models were asked for, but ${lanes.length} ${lanes.length === 1 ? 'lane' : 'lanes'} loaded ` +
          `the model ${modelLoads} times: lanes died, were given to others and back, or waited for longer than --keep-warm`,
      );
    }
    for (const { lane, figures } of lanes) {
      if (figures?.reducedFrom === undefined) continue;
      const { reducedFrom, tokensPerCall } = figures;
      said.push(
        `calls of ${reducedFrom} tokens did not fit the memory of ${lane}, which made do with ${tokensPerCall}`,
      );
    }
    if (said.length > 0) this.warnings[stage] = `${stage}: ${said.join('; ')}`;
  }

  progress(): CampaignProgress {
    const stages = Object.fromEntries(STAGES.map((stage) => [stage, this.stage(stage)]));
    return {
      state: this.state,
      samples: { ...this.samples },
      frames: this.frames,
      stages: stages as Record<Stage, StageProgress>,
      warnings: STAGES.flatMap((stage) => this.warnings[stage] ?? []),
    };
  }

  /** Lanes in use now, as `host/device`. */
  lanes(): string[] {
    return STAGES.flatMap((stage) => this.stage(stage).lanes.map(({ host, device }) => `${host}/${device}`));
  }

  /** Whether a slice that is still open has put file batches aside. */
  hasFailedBatches(): boolean {
    return [...this.slices].some(([slice, { progress }]) => !this.ended.has(slice) && progress.failed > 0);
  }

  private tick(stage: Stage, now: number): void {
    const busy = this.stage(stage).lanes.some(({ state }) => state === 'up');
    this.clocks.get(stage)?.tick(busy, now);
  }

  private stage(stage: Stage): StageProgress {
    const total: StageProgress = {
      batches: this.batches.get(stage) ?? 0,
      done: 0,
      failed: 0,
      frames: 0,
      tokens: 0,
      modelLoads: 0,
      lanes: [],
      ...this.clocks.get(stage)?.read(),
    };
    for (const { stage: of, progress } of this.slices.values()) {
      if (of !== stage) continue;
      total.done += progress.done;
      total.failed += progress.failed;
      total.frames += progress.frames;
      total.tokens += progress.tokens;
      total.modelLoads += progress.modelLoads;
      total.lanes.push(...progress.lanes);
      if (progress.paused) total.paused = true;
      if (progress.waitingFor !== undefined) total.waitingFor = progress.waitingFor;
    }
    return total;
  }
}
