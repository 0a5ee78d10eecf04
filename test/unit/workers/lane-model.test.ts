import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { setImmediate as turn } from 'node:timers/promises';
import type { LaneWork } from '../../../src/activities/embed-batch.js';
import { Embedder } from '../../../src/inference/embedder.js';
import { LaneModel } from '../../../src/workers/lane-model.js';
import { goldenModels } from '../../support/golden.js';

const never = new AbortController().signal;

describe('LaneModel', () => {
  const open = (): Promise<Embedder> =>
    Embedder.open({ model: goldenModels.proteinModel, cacheDir: tmpdir(), threads: 1 });

  /** Two batches at once; what they do, in order. The first computes until the second is prepared, if that comes. */
  async function useTwice(model: LaneModel): Promise<{ seen: string[]; loads: number[] }> {
    const seen: string[] = [];
    const work = (name: string): LaneWork => ({
      prepare: async () => void seen.push(`prepare ${name}`),
      compute: async () => {
        seen.push(`compute ${name}`);
        for (let turns = 0; turns < 10; turns++) await turn();
        seen.push(`computed ${name}`);
      },
    });
    const loads = await Promise.all([model.use(never, work('a')), model.use(never, work('b'))]);
    return { seen, loads };
  }

  it('loaded once: a batch is prepared while another computes, and computes when that is done', async () => {
    const model = new LaneModel(open, true, () => {});
    await model.start();
    const { seen, loads } = await useTwice(model);
    await model.close();
    assert.deepEqual(loads, [0, 0]);
    assert.deepEqual(seen.slice(0, 2), ['prepare a', 'prepare b']);
    assert.deepEqual(seen.slice(2), ['compute a', 'computed a', 'compute b', 'computed b']);
  });

  it('loaded for every batch: one after the other', async () => {
    const model = new LaneModel(open, false, () => {});
    await model.start();
    const { seen, loads } = await useTwice(model);
    assert.deepEqual(loads, [1, 1]);
    assert.deepEqual(seen, ['prepare a', 'compute a', 'computed a', 'prepare b', 'compute b', 'computed b']);
  });

  it('a batch that cannot be prepared leaves the model to the others', async () => {
    const model = new LaneModel(open, true, () => {});
    await model.start();
    const broken: LaneWork = { prepare: () => Promise.reject(new Error('no frames')), compute: () => assert.fail() };
    await assert.rejects(model.use(never, broken), /no frames/);
    assert.equal((await useTwice(model)).seen.at(-1), 'computed b');
    await model.close();
  });
});
