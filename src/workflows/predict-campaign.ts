import {
  ApplicationFailure,
  CancellationScope,
  type ChildWorkflowHandle,
  ParentClosePolicy,
  allHandlersFinished,
  condition,
  isCancellation,
  log,
  makeContinueAsNewFunc,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { SearchAttributePair } from '@temporalio/common';
import type { CpuActivities } from '../activities/index.js';
import type { ArtifactRef } from '../contract/artifacts.js';
import type { SliceCommand } from '../contract/commands.js';
import { REMAKE_ATTEMPTS, SLICE_LANES } from '../contract/defaults.js';
import type { CampaignProgress, SliceReport } from '../contract/progress.js';
import type {
  CampaignInput,
  CampaignResult,
  CampaignTotals,
  EmbedStageResult,
  FailedBatch,
  RunMemo,
  RunModels,
  SampleResult,
  SampleSpec,
  SplitOutput,
  StageSummary,
} from '../contract/run.js';
import { STAGE_ATTRIBUTE, STATE_ATTRIBUTE } from '../contract/search-attributes.js';
import { STAGES, type Stage } from '../contract/stages.js';
import { CampaignView } from './campaign-view.js';
import { cpuActivities } from './cpu-activities.js';
import { embedStage } from './embed-stage.js';
import { failureMessage, failureReport, isArtifactInvalid } from './failures.js';
import { joinRecords } from './lane-log.js';
import { pickLaneOptions } from './lane-options.js';
import {
  campaignProgress,
  drainLane,
  pause,
  resume,
  retryFailed,
  setMaxLanes,
  sliceCommand,
  sliceReport,
} from './messages.js';
import { campaignDetails } from './progress-details.js';
import { laneShare, slices } from './slices.js';

/**
 * Predicts a campaign of samples, wave by wave: split every sample of the wave, run both embedding stages over all
 * their file batches, classify and write each sample. A bad sample fails alone. One run handles one wave and continues
 * as new, so histories stay short however long the campaign.
 */
export async function predictCampaign(input: CampaignInput): Promise<CampaignResult> {
  const campaign = new Campaign(input);
  return campaign.run();
}

/** One slice at a time, with a share of the lanes. */
interface SlicePlace {
  /** What its slice was told. */
  lanes: number;
  slice?: string;
}

/** How the samples of a wave ended, and where the next wave starts. */
interface WaveResult {
  results: SampleResult[];
  next?: number;
}

const NONE: CampaignTotals = { done: 0, failed: 0, framesQuarantined: 0 };

interface SplitSample {
  sample: SampleSpec;
  split: SplitOutput;
}

class Campaign {
  private readonly view: CampaignView;
  private readonly cursor: number;
  private readonly openSlices = new Map<string, ChildWorkflowHandle<typeof embedStage>>();
  /** Where slices of the stage run side by side, one after the other. */
  private places: SlicePlace[] = [];
  private paused = false;
  private maxLanes: number;
  private drained: readonly string[];

  constructor(private readonly input: CampaignInput) {
    this.cursor = input.cursor ?? 0;
    this.view = new CampaignView(input.samples.records, input.before ?? NONE, { ...input.warnings });
    this.paused = input.paused ?? false;
    this.maxLanes = input.options.lanes;
    this.drained = input.drained ?? [];
    setHandler(campaignProgress, (): CampaignProgress => this.progress());
    setHandler(sliceReport, (report: SliceReport) => {
      this.view.slice(report, Date.now());
      this.show();
    });
    this.takeCommands();
  }

  async run(): Promise<CampaignResult> {
    const { options } = this.input;
    this.enter('inspecting');
    const models = await this.cpu('what the models are').inspectModels(options);
    const { results, next } = await this.runWave(models);

    const counts = countsAfter(this.input.before ?? NONE, results);
    upsertMemo({ ...counts } satisfies Partial<RunMemo>);
    const store = options.outputDir;
    const record = await this.cpu('how its samples ended').recordWave({ cursor: this.cursor, results, store });
    const waves = [...(this.input.waves ?? []), record];
    if (next !== undefined) {
      await condition(allHandlersFinished);
      const options = { ...this.input.options, lanes: this.maxLanes };
      // Without it the next run has the memo of this one's start.
      const goOn = makeContinueAsNewFunc<typeof predictCampaign>({ memo: workflowInfo().memo! });
      return goOn({
        ...this.input,
        options,
        cursor: next,
        before: counts,
        waves,
        paused: this.paused,
        drained: [...this.drained],
        warnings: this.view.warnings,
      });
    }
    const failures = await this.cpu('campaign.tsv and overview').summarizeCampaign({ waves, store });
    this.enter('done');
    await condition(allHandlersFinished);
    if (counts.done === 0 && counts.failed > 0) throw allFailed(failures, counts.failed);
    return { counts, samples: results, failed: failures };
  }

  /** Corrupt artifacts are made again: finished ones are found by digest, so only the bad ones cost anything. */
  private async runWave(models: RunModels): Promise<WaveResult> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.tryWave(models, attempt);
      } catch (error) {
        if (!isArtifactInvalid(error) || attempt === REMAKE_ATTEMPTS) throw error;
        log.warn('making artifacts again', { attempt, reason: failureMessage(error) });
      }
    }
  }

  private async tryWave(models: RunModels, attempt: number): Promise<WaveResult> {
    const { options, samples } = this.input;
    const wave = await this.cpu(`samples from ${this.cursor + 1} on that fit one wave`).planWave({
      samples,
      cursor: this.cursor,
      options,
      models,
    });
    const finished = wave.samples.flatMap(({ sample, finished: counts }): SampleResult[] =>
      counts === undefined ? [] : [{ sample: sample.name, status: 'done', counts }],
    );
    this.view.startWave(finished.length);
    this.enter('splitting');
    const failed: SampleResult[] = [];
    const unfinished = wave.samples.flatMap((planned) => (planned.finished === undefined ? [planned.sample] : []));
    const splits = await this.perSample(unfinished, failed, async (sample): Promise<SplitSample> => {
      const split = await this.cpu(`split ${sample.name}`)
        .splitInput({ sample, options })
        .finally(() => (this.view.samples.split += 1));
      this.view.frames += split.frames;
      this.show();
      return { sample, split };
    });

    this.enter('embedding');
    const summaries = {} as Record<Stage, StageSummary>;
    let embedded = splits;
    for (const stage of STAGES) {
      const manifest = await this.cpu(`${stage}: file batches of ${embedded.length} samples`).joinManifests({
        cursor: this.cursor,
        stage,
        manifests: embedded.map(({ split }) => split.manifest),
        store: options.outputDir,
      });
      const { failed: failedBatches, ...summary } = await this.runStage(stage, manifest, models, attempt);
      summaries[stage] = summary;
      embedded = this.withoutFailed(embedded, failedBatches, failed);
    }

    const stages = await this.cpu('how the stages went').recordStages({
      cursor: this.cursor,
      stages: summaries,
      store: options.outputDir,
    });

    this.enter('classifying');
    const done = await this.perSample(embedded, failed, async ({ sample, split }): Promise<SampleResult> => {
      const counts = await this.cpu(`classify ${sample.name}`).classifySample({
        sample,
        split,
        models,
        options,
        stages,
      });
      this.view.samples.done += 1;
      this.show();
      return { sample: sample.name, status: 'done', counts };
    });
    const results = new Map([...finished, ...done, ...failed].map((result) => [result.sample, result]));
    const inOrder = wave.samples.map(({ sample }) => results.get(sample.name)!);
    return { results: inOrder, ...(wave.next === undefined ? {} : { next: wave.next }) };
  }

  /** A sample with a batch that no lane could embed is put aside in `failed`; the others go on. */
  private withoutFailed(splits: SplitSample[], batches: FailedBatch[], failed: SampleResult[]): SplitSample[] {
    let from = 0;
    return splits.filter(({ sample, split }) => {
      const to = from + split.manifest.records;
      const batch = batches.find(({ index }) => index >= from && index < to);
      from = to;
      if (batch === undefined) return true;
      failed.push({ sample: sample.name, status: 'failed', failure: batch.failure });
      this.view.samples.failed += 1;
      return false;
    });
  }

  /** A sliding window of slices over the wave's batches. */
  private async runStage(
    stage: Stage,
    manifest: ArtifactRef,
    models: RunModels,
    attempt: number,
  ): Promise<EmbedStageResult> {
    const batches = manifest.records;
    const startedAt = Date.now();
    const window = Math.ceil(this.maxLanes / SLICE_LANES);
    const waiting = slices(batches, window);
    const results: EmbedStageResult[] = [];
    this.view.startStage(stage, batches);
    this.attribute({ key: STAGE_ATTRIBUTE, value: stage });
    const runSlices = async (place: SlicePlace): Promise<void> => {
      for (let range = waiting.shift(); range !== undefined; range = waiting.shift()) {
        results.push(await this.runSlice(stage, manifest, models, range, attempt, place));
      }
      // What it had is for the others.
      this.places = this.places.filter((other) => other !== place);
      await this.shareLanes();
    };
    this.places = Array.from({ length: window }, () => ({ lanes: 0 }));
    await CancellationScope.cancellable(async () => {
      const running = this.places.map(runSlices);
      try {
        await Promise.all(running);
      } catch (error) {
        // The others must not work beside the next attempt.
        CancellationScope.current().cancel();
        await Promise.allSettled(running);
        throw error;
      }
    });
    const result = { ...sumOfSlices(results), startedAt, seconds: (Date.now() - startedAt) / 1000 };
    this.view.stageDone(stage, this.input.options.persistent, result);
    this.show();
    return result;
  }

  private async runSlice(
    stage: Stage,
    manifest: ArtifactRef,
    models: RunModels,
    { from, to }: { from: number; to: number },
    attempt: number,
    place: SlicePlace,
  ): Promise<EmbedStageResult> {
    const { options } = this.input;
    const { workflowId, runId } = workflowInfo();
    // With the run in it: a slice of an earlier run of the same campaign may still be giving its lanes back.
    const slice = `${workflowId}/${stage}/${runId.slice(-8)}.${this.cursor}.${attempt}/${from + 1}-${to}`;
    const { paused, drained } = this;
    place.lanes = this.shareOf(place);
    const tokensPerCall = options.tokensPerCall?.[stage];
    const child = await startChild(embedStage, {
      workflowId: slice,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: `${stage}: file batches ${from + 1} to ${to}`,
      args: [
        {
          stage,
          model: stage === 'dnabert-s' ? models.dna : models.protein,
          manifest,
          from,
          to,
          store: options.outputDir,
          lanes: { ...pickLaneOptions(options), lanes: place.lanes },
          ...(tokensPerCall && { tokensPerCall }),
          reportTo: { workflowId, runId },
          paused,
          avoid: [...drained],
        },
      ],
    });
    this.openSlices.set(slice, child);
    place.slice = slice;
    // What people asked for while it was being started.
    if (paused !== this.paused) await this.command({ op: this.paused ? 'pause' : 'resume' });
    for (const lane of this.drained) if (!drained.includes(lane)) await this.command({ op: 'drainLane', lane });
    await this.shareLanes();
    const result = await child.result().finally(() => {
      this.openSlices.delete(slice);
      delete place.slice;
    });
    this.view.sliceDone(slice, stage, to - from, result, Date.now());
    this.show();
    return result;
  }

  /**
   * Runs `step` for each sample at once and waits for all; one that fails by itself is put aside in `failed`, the rest
   * goes on.
   */
  private async perSample<S extends SampleSpec | SplitSample, R>(
    items: S[],
    failed: SampleResult[],
    step: (item: S) => Promise<R>,
  ): Promise<R[]> {
    const results = await Promise.allSettled(
      items.map(async (item) => {
        try {
          return [await step(item)];
        } catch (error) {
          if (isCancellation(error) || isArtifactInvalid(error)) throw error;
          const { name } = 'sample' in item ? item.sample : item;
          failed.push({ sample: name, status: 'failed', failure: failureReport(error) });
          this.view.samples.failed += 1;
          this.show();
          return [];
        }
      }),
    );
    return results.flatMap((result) => {
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    });
  }

  /** What people ask for: kept for slices to come, and forwarded to those that are open. */
  private takeCommands(): void {
    setHandler(pause, () => {
      this.paused = true;
      return this.command({ op: 'pause' });
    });
    setHandler(resume, () => {
      this.paused = false;
      return this.command({ op: 'resume' });
    });
    setHandler(retryFailed, () => this.command({ op: 'retryFailed' }), {
      validator: () => {
        if (!this.view.hasFailedBatches()) throw new Error('no file batch of the stage under way has failed');
      },
    });
    setHandler(
      drainLane,
      ({ lane }) => {
        this.drained = [...new Set([...this.drained, lane])];
        return this.command({ op: 'drainLane', lane });
      },
      {
        validator: ({ lane }) => {
          if (this.view.lanes().includes(lane)) return;
          throw new Error(`no lane ${lane} in use, in use are: ${this.view.lanes().join(', ') || 'none'}`);
        },
      },
    );
    setHandler(
      setMaxLanes,
      async ({ lanes }) => {
        this.maxLanes = lanes;
        this.drained = [];
        await this.command({ op: 'readmit' });
        await this.shareLanes();
      },
      {
        validator: ({ lanes }) => {
          if (!Number.isSafeInteger(lanes) || lanes < 1)
            throw new Error(`${lanes} lanes: give a whole number from 1 up`);
        },
      },
    );
  }

  private async command(command: SliceCommand): Promise<void> {
    await Promise.all([...this.openSlices.keys()].map((slice) => this.tell(slice, command)));
  }

  /** A slice that ends meanwhile has no use for it. */
  private async tell(slice: string, command: SliceCommand): Promise<void> {
    await this.openSlices
      .get(slice)
      ?.signal(sliceCommand, command)
      .catch((error: unknown) => log.warn('slice does not hear', { slice, error: failureMessage(error) }));
  }

  /** @param summary what the Temporal UI shows beside the call. */
  private cpu(summary: string): CpuActivities {
    return cpuActivities(this.input.options, summary);
  }

  private shareOf(place: SlicePlace): number {
    return laneShare(this.maxLanes, this.places.length, this.places.indexOf(place));
  }

  /** Tells the open slices whose share of the lanes is another than they know. */
  private async shareLanes(): Promise<void> {
    const changed = this.places.filter((place) => place.slice !== undefined && place.lanes !== this.shareOf(place));
    for (const place of changed) place.lanes = this.shareOf(place);
    await Promise.all(changed.map(({ slice, lanes }) => this.tell(slice!, { op: 'setMaxLanes', lanes })));
  }

  private enter(state: CampaignProgress['state']): void {
    this.view.state = state;
    this.attribute({ key: STATE_ATTRIBUTE, value: state });
    this.show();
  }

  /** Only in runs that were started with attributes: a server that does not know them would refuse them for ever. */
  private attribute(pair: SearchAttributePair): void {
    if (workflowInfo().typedSearchAttributes.get(STATE_ATTRIBUTE) !== undefined) upsertSearchAttributes([pair]);
  }

  private progress(): CampaignProgress {
    return { ...this.view.progress(), ...(this.paused ? { paused: true } : {}) };
  }

  private show(): void {
    setCurrentDetails(campaignDetails(this.progress()));
  }
}

function countsAfter(before: CampaignTotals, results: SampleResult[]): CampaignTotals {
  const failed = results.filter(({ status }) => status === 'failed').length;
  return {
    done: before.done + results.length - failed,
    failed: before.failed + failed,
    framesQuarantined: results.reduce(
      (sum, { counts }) => sum + (counts?.framesQuarantined ?? 0),
      before.framesQuarantined,
    ),
  };
}

function sumOfSlices(results: EmbedStageResult[]): Omit<EmbedStageResult, 'startedAt' | 'seconds'> {
  const total = { embedded: 0, reused: 0, frames: 0, tokens: 0, modelLoads: 0, quarantined: 0, retries: 0 };
  for (const result of results) {
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += result[name];
  }
  return {
    ...total,
    failed: results.flatMap(({ failed }) => failed),
    lanes: joinRecords(results.flatMap(({ lanes }) => lanes)),
  };
}

function allFailed([first]: SampleResult[], samples: number): ApplicationFailure {
  const report = first!.failure!;
  const what = samples === 1 ? report.what : `all ${samples} samples failed; the first: ${report.what}`;
  return ApplicationFailure.create({
    type: report.type,
    message: what,
    nonRetryable: true,
    details: [{ ...report, what }],
  });
}
