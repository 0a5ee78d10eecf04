import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { LaneWork } from '../../../src/activities/embed-batch.js';
import { ArtifactInvalid, DeviceError, LaneSick, ModelError } from '../../../src/contract/failures.js';
import type { Embedder } from '../../../src/inference/embedder.js';
import { LaneModel } from '../../../src/workers/lane-model.js';
import { withFakeTime } from '../../support/fake-time.js';

/** A device whose models are counted, and which is well until the test says otherwise. */
class Device {
  opened = 0;
  closed = 0;
  selfTests = 0;
  sick: string[] = [];
  isWell: boolean | 'throws' | 'hangs' = true;
  cannotOpen: Error | undefined;

  model(persistent: boolean): LaneModel {
    return new LaneModel(
      () => this.open(),
      persistent,
      ({ what }) => this.sick.push(what),
    );
  }

  private async open(): Promise<Embedder> {
    if (this.cannotOpen !== undefined) throw this.cannotOpen;
    this.opened += 1;
    return {
      facts: { loadSeconds: 7 },
      selfTest: async () => {
        this.selfTests += 1;
        if (this.isWell === 'throws') throw new Error('device gone');
        return this.isWell === 'hangs' ? new Promise<boolean>(() => {}) : this.isWell;
      },
      close: async () => void (this.closed += 1),
    } as unknown as Embedder;
  }
}

const { signal } = new AbortController();
/** A batch of which only the model calls matter. */
const computing = (compute: () => Promise<void>): LaneWork => ({ prepare: async () => {}, compute });
const fine = computing(async () => {});
const failing = computing(() => Promise.reject(new Error('launch failure')));

describe('workers/lane-model', () => {
  it('persistent: loads once, at the start, and closes at the end', async () => {
    const device = new Device();
    const model = device.model(true);
    assert.equal(await model.start(), 7);
    for (let use = 0; use < 3; use++) assert.equal(await model.use(signal, fine), 0);
    assert.deepEqual([device.opened, device.closed], [1, 0]);
    await model.close();
    assert.deepEqual([device.opened, device.closed], [1, 1]);
  });

  it('standard: loads and drops for every batch, also for one that fails', async () => {
    const device = new Device();
    const model = device.model(false);
    assert.equal(await model.start(), 0);
    assert.equal(device.opened, 0);
    assert.equal(await model.use(signal, fine), 1);
    assert.equal(await model.use(signal, fine), 1);
    await assert.rejects(model.use(signal, failing), /launch failure/);
    await model.close();
    assert.deepEqual([device.opened, device.closed], [3, 3]);
  });

  it('standard: a model is loaded with the call size that fitted the one before', async () => {
    const asked: (number | undefined)[] = [];
    const open = (tokensPerCall?: number): Promise<Embedder> => {
      asked.push(tokensPerCall);
      const facts = asked.length === 1 ? { tokensPerCall: 300, reducedFrom: 1000 } : { tokensPerCall };
      return Promise.resolve({ facts, close: async () => {} } as unknown as Embedder);
    };
    const model = new LaneModel(open, false, () => {});
    for (let use = 0; use < 3; use++) await model.use(signal, fine);
    assert.deepEqual(asked, [undefined, 300, 300]);
  });

  it('runs one batch at a time, in order, past one that fails, and not one that was cancelled while it waited', async () => {
    const model = new Device().model(true);
    await model.start();
    const events: string[] = [];
    let finish = (): void => {};
    const first = model.use(
      signal,
      computing(async () => {
        events.push('first');
        await new Promise<void>((resolve) => (finish = resolve));
        throw new Error('first fails');
      }),
    );
    const cancel = new AbortController();
    const second = model.use(
      cancel.signal,
      computing(async () => void events.push('second')),
    );
    const third = model.use(
      signal,
      computing(async () => void events.push('third')),
    );
    await turn();
    assert.deepEqual(events, ['first']);
    cancel.abort(new Error('cancelled'));
    finish();
    await assert.rejects(first, /first fails/);
    await assert.rejects(second, /cancelled/);
    await third;
    assert.deepEqual(events, ['first', 'third']);
  });

  /** Two batches at once; what they do, in order. */
  async function useTwice(model: LaneModel): Promise<{ events: string[]; loads: number[] }> {
    const events: string[] = [];
    const work = (name: string): LaneWork => ({
      prepare: async () => void events.push(`prepare ${name}`),
      compute: async () => {
        events.push(`compute ${name}`);
        await turn();
        events.push(`computed ${name}`);
      },
    });
    const loads = await Promise.all([model.use(signal, work('a')), model.use(signal, work('b'))]);
    return { events, loads };
  }

  it('persistent: a batch is prepared before the one ahead of it has computed; one that cannot be blames nobody', async () => {
    const device = new Device();
    const model = device.model(true);
    await model.start();
    assert.deepEqual(await useTwice(model), {
      events: ['prepare a', 'prepare b', 'compute a', 'computed a', 'compute b', 'computed b'],
      loads: [0, 0],
    });
    const broken: LaneWork = { prepare: () => Promise.reject(new Error('no frames')), compute: () => assert.fail() };
    for (let i = 0; i < 3; i++) await assert.rejects(model.use(signal, broken), /no frames/);
    assert.deepEqual([device.selfTests, device.sick], [0, []]);
    assert.equal((await useTwice(model)).events.at(-1), 'computed b');
  });

  it('standard: a batch is prepared with its own model', async () => {
    assert.deepEqual(await useTwice(new Device().model(false)), {
      events: ['prepare a', 'compute a', 'computed a', 'prepare b', 'compute b', 'computed b'],
      loads: [1, 1],
    });
  });

  it('closes only after the batch under way', async () => {
    const device = new Device();
    const model = device.model(true);
    await model.start();
    let finish = (): void => {};
    const use = model.use(
      signal,
      computing(() => new Promise<void>((resolve) => (finish = resolve))),
    );
    const closing = model.close();
    await turn();
    assert.equal(device.closed, 0);
    finish();
    await Promise.all([use, closing]);
    assert.equal(device.closed, 1);
  });

  it('has the device prove itself after two failures in a row: one that does passes the failure on', async () => {
    const device = new Device();
    const model = device.model(true);
    await model.start();
    await assert.rejects(model.use(signal, failing), /^Error: launch failure/);
    await model.use(signal, fine);
    await assert.rejects(model.use(signal, failing), /^Error: launch failure/);
    assert.equal(device.selfTests, 0, 'a success between starts the count anew');
    await assert.rejects(model.use(signal, failing), /^Error: launch failure/);
    assert.equal(device.selfTests, 1);
    assert.deepEqual(device.sick, []);
  });

  for (const isWell of [false, 'throws'] as const) {
    it(`says that it is sick when the self-test ${isWell ? 'cannot be run' : 'gives other vectors'}`, async () => {
      const device = new Device();
      const model = device.model(true);
      await model.start();
      device.isWell = isWell;
      await assert.rejects(model.use(signal, failing), /launch failure/);
      await assert.rejects(model.use(signal, failing), LaneSick);
      const what = 'the device fails its self-test after 2 failed batches (Error: launch failure)';
      assert.deepEqual(device.sick, [what]);
    });
  }

  it('takes a self-test that never ends for failed after two minutes', async () => {
    const device = new Device();
    const model = device.model(true);
    await model.start();
    device.isWell = 'hangs';
    await assert.rejects(model.use(signal, failing), /launch failure/);
    const { waitedMs } = await withFakeTime(() => assert.rejects(model.use(signal, failing), LaneSick));
    assert.equal(waitedMs, 120_000);
    assert.equal(device.sick.length, 1);
  });

  it('holds nothing against the device that is the fault of inputs, artifacts or a cancel', async () => {
    const device = new Device();
    const model = device.model(true);
    await model.start();
    device.isWell = false;
    const cancelled = Object.assign(new Error('cancelled'), { name: 'CancelledFailure' });
    const invalid = new ArtifactInvalid({ what: 'digest', next: '' });
    for (const error of [cancelled, invalid, cancelled, invalid]) {
      await assert.rejects(
        model.use(
          signal,
          computing(() => Promise.reject(error)),
        ),
        error,
      );
    }
    assert.deepEqual([device.selfTests, device.sick], [0, []]);
  });

  it('a batch that finds the device sick reports it at once', async () => {
    const device = new Device();
    const model = device.model(true);
    await model.start();
    const sick = new LaneSick({ what: 'other vectors than at its start', next: '' });
    await assert.rejects(
      model.use(
        signal,
        computing(() => Promise.reject(sick)),
      ),
      sick,
    );
    assert.deepEqual(device.sick, ['other vectors than at its start']);
  });

  it('a device that cannot load is sick in both modes; a model that is wrong is not its fault', async () => {
    for (const persistent of [true, false]) {
      const device = new Device();
      const model = device.model(persistent);
      const load = (): Promise<unknown> => (persistent ? model.start() : model.use(signal, fine));
      device.cannotOpen = new Error('no such provider');
      await assert.rejects(load(), LaneSick);
      device.cannotOpen = new DeviceError({ what: 'off by 0.3', next: 'Use another' });
      await assert.rejects(load(), LaneSick);
      assert.deepEqual(device.sick, [
        'the device does not compute a first vector (Error: no such provider)',
        'the device does not compute a first vector (DeviceError: off by 0.3. Use another)',
      ]);
      device.cannotOpen = new ModelError({ what: 'shape', next: '' });
      await assert.rejects(load(), ModelError);
      assert.equal(device.sick.length, 2);
    }
  });
});
