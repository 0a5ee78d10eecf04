import assert from 'node:assert/strict';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { poisonTokens } from '../support/faults/poison.js';
import type { Fault } from '../support/faults/lane-behaviour.js';
import { describeWithBench } from '../support/faults/scene.js';
import type { WatchedRun } from '../support/faults/watched-run.js';
import { eventually } from '../support/processes.js';

/** Within this time of a run's end no lane process of it is left. */
const LANES_GONE_MS = 15_000;

/** A batch that fails is tried on another lane before it is put aside. */
const TRIES_PER_ROUND = 2;

describeWithBench('a run is ended from outside', 2, (scene) => {
  /** A run in mid-batch on two lanes that would stay warm for long. */
  const midRun = async (runTimeoutMs?: number): Promise<WatchedRun> => {
    await scene.bench.behave({ callMs: 1500 });
    const run = await scene.bench.run({ keepWarmSeconds: 600 }, runTimeoutMs);
    const pids = await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    await run.midBatch('dnabert-s', 1, PATIENCE_MS);
    assert.deepEqual(scene.bench.lanePids().sort(), pids);
    return run;
  };
  const status = async (run: WatchedRun): Promise<string> => (await run.handle.describe()).status.name;

  it('cancel: no lane process after 15 s', async () => {
    const { bench } = scene;
    const run = await midRun();
    await run.handle.cancel();
    await eventually(() => bench.lanePids().length === 0, LANES_GONE_MS);
    await assert.rejects(run.result(PATIENCE_MS));
    assert.equal(await status(run), 'CANCELLED');
  });

  it('terminate: no lane process after 15 s', async () => {
    const { bench } = scene;
    const run = await midRun();
    await run.handle.terminate('test');
    await eventually(() => bench.lanePids().length === 0, LANES_GONE_MS);
    assert.equal(await status(run), 'TERMINATED');
  });

  it('terminate of every one of its workflows at once: no lane process after 15 s', async () => {
    const { bench } = scene;
    const run = await midRun();
    const slices = await run.slices('dnabert-s');
    await Promise.all([run.handle, ...slices].map((workflow) => workflow.terminate('test')));
    await eventually(() => bench.lanePids().length === 0, LANES_GONE_MS);
  });

  it('run timeout: no lane process after 15 s', async () => {
    const { bench } = scene;
    const run = await midRun(20_000);
    await eventually(async () => (await status(run)) === 'TIMED_OUT', 30_000);
    await eventually(() => bench.lanePids().length === 0, LANES_GONE_MS);
  });

  it('cancel in the second stage: nor are lanes of the first left that were kept warm', async () => {
    const { bench } = scene;
    await bench.behave({});
    const run = await bench.run({ keepWarmSeconds: 600 });
    const first = await run.lanePids('dnabert-s', 2, PATIENCE_MS);
    await bench.behave({ callMs: 1500 });
    const second = await run.lanePids('esm-2', 2, PATIENCE_MS);
    assert.deepEqual(bench.lanePids().sort(), [...first, ...second].sort());
    await run.handle.cancel();
    await eventually(() => bench.lanePids().length === 0, LANES_GONE_MS);
    assert.equal(await status(run), 'CANCELLED');
  });

  it('cancel while failed batches are tried again: no lane process after 15 s', async () => {
    const { bench } = scene;
    const tokens = await poisonTokens('dnabert-s', bench.dir);
    const faults: Fault[] = [{ tokens, then: 'throw' }];
    await bench.behave({ callMs: 300, faults });
    const run = await bench.run({ keepWarmSeconds: 600 });
    // Slow in time for the retries, which come when every other batch is done.
    await run.until(({ stages }) => stages['dnabert-s'].done >= 10, PATIENCE_MS);
    await bench.behave({ callMs: 1500, faults });
    const triesOfFirst = async (): Promise<number> =>
      (await run.attempts('dnabert-s')).filter(({ index }) => index === 0).length;
    await eventually(async () => (await triesOfFirst()) === TRIES_PER_ROUND + 1, PATIENCE_MS);
    await run.handle.cancel();
    await eventually(() => bench.lanePids().length === 0, LANES_GONE_MS);
    await assert.rejects(run.result(PATIENCE_MS));
    assert.equal(await status(run), 'CANCELLED');
  });
});
