import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { WarmLane } from '../../../src/activities/hold-lane.js';
import type { Device } from '../../../src/contract/devices.js';
import { Declined } from '../../../src/contract/failures.js';
import type { LaneOffer } from '../../../src/contract/leases.js';
import { type HostMeans, LanePool, type PooledLane } from '../../../src/workers/lane-pool.js';
import { laneOffer } from '../../support/lane-offer.js';
import { eventually } from '../../support/processes.js';

/** A lane process that ends when the test lets it. */
class FakeLane implements PooledLane {
  alive = true;
  stopAsked = false;
  private end: () => void = () => {};
  readonly exited = new Promise<void>((resolve) => (this.end = resolve));

  constructor(
    readonly offer: LaneOffer,
    private readonly obeys = true,
  ) {}

  async stop(): Promise<void> {
    this.stopAsked = true;
    if (this.obeys) this.die();
    await this.exited;
  }

  die(): void {
    this.alive = false;
    this.end();
  }
}

const cpu = (index: number): Device => ({ kind: 'cpu', index, threads: 1 });
const [cpu0, cpu1] = [cpu(0), cpu(1)];

/** Weights, process, and a call of 168 tokens: see test/unit/inference/lane-memory.test.ts. */
const LANE_BYTES = 1e9 + 300e6 + 4 * 168 * (7 * 4 + 2 * 16 + 1.5 * 2 * 168);

/** A host with the memory for one lane at a time, unless told otherwise. */
class Means implements HostMeans {
  models = new Set([laneOffer().model.path, '/other']);
  free = LANE_BYTES;
  hasModel = async (path: string): Promise<boolean> => this.models.has(path);
  freeMemory = async (): Promise<number> => this.free;
}

const keep = (lane: FakeLane, seconds: number, isOver = false): WarmLane<FakeLane> => ({
  lane,
  seconds,
  isOver: async () => isOver,
});

const poolOf = (means: HostMeans, ...devices: Device[]): LanePool<FakeLane> =>
  new LanePool(devices, means, 'h', pino({ level: 'silent' }));

/** On a host whose memory is never short. */
const pool = (...devices: Device[]): LanePool<FakeLane> =>
  poolOf(Object.assign(new Means(), { free: Infinity }), ...devices);

describe('workers/lane-pool', () => {
  it('takes free devices of the kind that is asked for, and declines when there is none', async () => {
    const cuda: Device = { kind: 'cuda', index: 0, threads: 1 };
    const both = pool(cpu0, cuda);
    assert.deepEqual([both.count('cpu'), both.count('cuda'), both.count('webgpu')], [1, 1, 0]);
    assert.deepEqual(await both.take(laneOffer({ device: 'cuda' })), { device: cuda, warm: undefined });
    await assert.rejects(both.take(laneOffer({ device: 'cuda' })), Declined);
    assert.equal((await both.take(laneOffer())).device, cpu0);
    both.release(cuda);
    assert.equal((await both.take(laneOffer({ device: 'cuda' }))).device, cuda);
  });

  it('gives a lease the warm lane of its stage, model and mode, whichever device it is on', async () => {
    const two = pool(cpu0, cpu1);
    await two.take(laneOffer());
    const { device } = await two.take(laneOffer());
    const lane = new FakeLane(laneOffer());
    two.release(device, keep(lane, 100));
    const next = await two.take(laneOffer({ lease: 'next', keepWarmSeconds: 5 }));
    assert.equal(next.device, cpu1);
    assert.equal(next.warm, lane);
    assert.equal(lane.stopAsked, false);
    await two.close();
  });

  it('reckons with the calls that are asked for, and keeps a warm lane for those of its size', async () => {
    const means = new Means();
    const one = poolOf(means, cpu0);
    const large = laneOffer({ tokensPerCall: 1_000_000 });
    await assert.rejects(one.take(large), (error) => error instanceof Declined && /needs 3\.56 GB/.test(error.what));
    means.free = 10e9;
    await one.take(large);
    const lane = new FakeLane(large);
    one.release(cpu0, keep(lane, 100));
    assert.equal((await one.take(laneOffer())).warm, undefined);
    one.release(cpu0);
    assert.equal((await one.take(large)).warm, lane);
    await one.close();
  });

  it('leaves the device of a warm lane alone while another is free', async () => {
    const two = pool(cpu0, cpu1);
    await two.take(laneOffer());
    two.release(cpu0, keep(new FakeLane(laneOffer()), 100));
    const other = laneOffer({ stage: 'dnabert-s' });
    assert.deepEqual(await two.take(other), { device: cpu1, warm: undefined });
    assert.deepEqual(await two.take(other), { device: cpu0, warm: undefined });
    await two.close();
  });

  it('keeps lanes of two stages warm beside each other on a CPU', async () => {
    const one = pool(cpu0);
    const dna = laneOffer({ stage: 'dnabert-s' });
    await one.take(laneOffer());
    const [protein, nucleotide] = [new FakeLane(laneOffer()), new FakeLane(dna)];
    one.release(cpu0, keep(protein, 100));
    assert.equal((await one.take(dna)).warm, undefined);
    one.release(cpu0, keep(nucleotide, 100));
    for (const [offer, lane] of [
      [laneOffer(), protein],
      [dna, nucleotide],
    ] as const) {
      const { warm } = await one.take(offer);
      assert.equal(warm, lane);
      one.release(cpu0, keep(warm, 100));
    }
    await one.close();
    assert.deepEqual([protein.alive, nucleotide.alive], [false, false]);
  });

  it('evicts warm lanes, the oldest first and on idle devices, too, until another model has its memory', async () => {
    const means = new Means();
    const two = poolOf(means, cpu0, cpu1);
    const stopped: string[] = [];
    const idle = (name: string): FakeLane => {
      const lane = new FakeLane(laneOffer({ lease: name }));
      void lane.exited.then(() => {
        stopped.push(name);
        means.free += LANE_BYTES / 2;
      });
      return lane;
    };
    means.free = Infinity;
    for (const [device, name] of [
      [cpu0, 'a'],
      [cpu0, 'b'],
      [cpu1, 'c'],
    ] as const) {
      const avoid = [device === cpu0 ? 'h/cpu:1' : 'h/cpu:0'];
      await two.take(laneOffer({ stage: 'dnabert-s', avoid }));
      two.release(device, keep(idle(name), 100));
    }
    means.free = 0;
    assert.equal((await two.take(laneOffer({ stage: 'dnabert-s', avoid: ['h/cpu:1'] }))).device, cpu0);
    assert.deepEqual(stopped, ['a', 'b']);
    await two.close();
  });

  it('evicts nothing for a model that would not fit the whole host', async () => {
    const means = new Means();
    const two = poolOf(means, cpu0, cpu1);
    await two.take(laneOffer());
    const lane = new FakeLane(laneOffer());
    two.release(cpu0, keep(lane, 100));
    means.free = 0;
    const { model } = laneOffer();
    const large = laneOffer({ model: { ...model, digest: 'large', bytes: 11e9 } });
    const what = 'too little memory: a lane of esm-2 needs 11.3 GB';
    await assert.rejects(two.take(large), { name: 'Declined', what });
    assert.equal(lane.alive, true);
    await two.close();
  });

  it('another kind of device, whose memory it cannot see, holds one lane', async () => {
    const cuda: Device = { kind: 'cuda', index: 0, threads: 1 };
    const one = pool(cuda);
    await one.take(laneOffer({ device: 'cuda' }));
    const lane = new FakeLane(laneOffer({ device: 'cuda' }));
    one.release(cuda, keep(lane, 100));
    await one.take(laneOffer({ device: 'cuda', stage: 'dnabert-s' }));
    assert.equal(lane.alive, false);
  });

  it('does not ask the host for weights and calls that are in the memory of another device', async () => {
    const model = { ...laneOffer().model, layers: 10, bytes: 11e9 };
    const cuda: Device = { kind: 'cuda', index: 0, threads: 1 };
    const means = Object.assign(new Means(), { free: 500e6 });
    const host = poolOf(means, cuda, cpu0);
    assert.equal((await host.take(laneOffer({ device: 'cuda', model }))).device, cuda);
    host.loaded(cuda);
    const what = (need: string): string => `too little memory: a lane of esm-2 needs ${need}`;
    await assert.rejects(host.take(laneOffer({ model })), { name: 'Declined', what: what('11.3 GB') });
    host.release(cuda);
    means.free = 300e6;
    await assert.rejects(host.take(laneOffer({ device: 'cuda', model })), { name: 'Declined', what: what('401 MB') });
  });

  it('declines what it has no memory for, counting lanes that still load', async () => {
    const means = Object.assign(new Means(), { free: 1.5 * LANE_BYTES });
    const two = poolOf(means, cpu0, cpu1);
    const { device } = await two.take(laneOffer());
    const what = 'too little memory beside the lanes that load their models';
    await assert.rejects(two.take(laneOffer()), { name: 'Declined', what });
    two.loaded(device);
    assert.equal((await two.take(laneOffer())).device, cpu1, 'the device was not lost by declining');
  });

  it('declines a model that this host does not have, and serves it once it does', async () => {
    const means = new Means();
    const one = poolOf(means, cpu0);
    means.models.clear();
    await assert.rejects(one.take(laneOffer()), { name: 'Declined', what: 'no model at /models/esm2' });
    means.models.add('/models/esm2');
    assert.equal((await one.take(laneOffer())).device, cpu0);
  });

  it('takes no lane of another model, precision or mode for its own', async () => {
    const { model } = laneOffer();
    const others: Partial<LaneOffer>[] = [
      { stage: 'dnabert-s' },
      { persistent: false },
      { model: { ...model, digest: 'other' } },
      { model: { ...model, path: '/other' } },
      { model: { ...model, precision: 'bf16' as typeof model.precision } },
    ];
    for (const other of others) {
      const one = pool(cpu0);
      await one.take(laneOffer());
      one.release(cpu0, keep(new FakeLane(laneOffer()), 100));
      assert.equal((await one.take(laneOffer(other))).warm, undefined, JSON.stringify(other));
      await one.close();
    }
  });

  it('a lease waits until the lane that it evicts has ended', async () => {
    const means = new Means();
    const one = poolOf(means, cpu0);
    await one.take(laneOffer());
    const lane = new FakeLane(laneOffer(), false);
    one.release(cpu0, keep(lane, 100));
    means.free = 0;
    let taken = false;
    const taking = one.take(laneOffer({ stage: 'dnabert-s' })).then(() => (taken = true));
    await assert.rejects(one.take(laneOffer()), Declined, 'nobody else gets the device meanwhile');
    await sleep(20);
    assert.equal(taken, false);
    means.free = LANE_BYTES;
    lane.die();
    await taking;
  });

  it('ends a warm lane when its time is up; until it has ended its device is not free', async () => {
    const one = pool(cpu0);
    await one.take(laneOffer());
    const lane = new FakeLane(laneOffer(), false);
    one.release(cpu0, keep(lane, 0.05));
    await eventually(() => lane.stopAsked, 5_000);
    await assert.rejects(one.take(laneOffer()), Declined);
    lane.die();
    await sleep(0);
    assert.deepEqual(await one.take(laneOffer()), { device: cpu0, warm: undefined });
  });

  it('ends a warm lane when its campaign was ended from outside, but not one that was taken over meanwhile', async () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      for (const isTaken of [false, true]) {
        const one = pool(cpu0);
        await one.take(laneOffer());
        const lane = new FakeLane(laneOffer());
        let isOver = false;
        one.release(cpu0, { lane, seconds: 100, isOver: async () => isOver });
        mock.timers.tick(60_000);
        await sleep(0);
        assert.equal(lane.stopAsked, false, 'its campaign goes on');
        isOver = true;
        mock.timers.tick(5_000);
        if (isTaken) await one.take(laneOffer());
        await sleep(0);
        assert.equal(lane.stopAsked, !isTaken);
      }
    } finally {
      mock.timers.reset();
    }
  });

  it('keeps warm for as long as timers can count', async () => {
    const one = pool(cpu0);
    await one.take(laneOffer());
    const lane = new FakeLane(laneOffer());
    one.release(cpu0, keep(lane, 1e9));
    await sleep(20);
    assert.equal((await one.take(laneOffer())).warm, lane);
  });

  it('forgets a warm lane that died, and one that was dead when it was released', async () => {
    const one = pool(cpu0);
    for (const dies of ['before', 'after']) {
      await one.take(laneOffer());
      const lane = new FakeLane(laneOffer());
      if (dies === 'before') lane.die();
      one.release(cpu0, keep(lane, 100));
      if (dies === 'after') lane.die();
      await sleep(0);
      assert.deepEqual(await one.take(laneOffer()), { device: cpu0, warm: undefined });
      one.release(cpu0);
    }
  });

  it('never gives a retired device away again, and is out of service when that was the last of its kind', async () => {
    const two = pool(cpu0, cpu1);
    await two.take(laneOffer());
    two.retire(cpu0, 'NaN');
    two.release(cpu0);
    assert.equal((await two.take(laneOffer())).device, cpu1);
    const what = 'no free device; cpu:0 is out of service: NaN';
    await assert.rejects(two.take(laneOffer()), { name: 'Declined', what });
    const lane = new FakeLane(laneOffer());
    two.release(cpu1, keep(lane, 100));
    two.retire(cpu1, 'no answer');
    await assert.rejects(two.take(laneOffer()), { what: `${what}; cpu:1 is out of service: no answer` });
    assert.equal(lane.alive, false, 'nobody could use it');
  });

  it('gives a run no device that it was told to give up', async () => {
    const two = pool(cpu0, cpu1);
    const offer = laneOffer({ avoid: ['h/cpu:0', 'other/cpu:1'] });
    assert.equal((await two.take(offer)).device, cpu1);
    await assert.rejects(two.take(offer), Declined);
    assert.equal((await two.take(laneOffer())).device, cpu0);
  });

  it('ends its warm lanes when it closes', async () => {
    const two = pool(cpu0, cpu1);
    const lanes = [new FakeLane(laneOffer()), new FakeLane(laneOffer())];
    for (const [i, device] of [cpu0, cpu1].entries()) {
      await two.take(laneOffer({ stage: i === 0 ? 'esm-2' : 'dnabert-s' }));
      two.release(device, keep(lanes[i]!, 100));
    }
    await two.close();
    assert.deepEqual(
      lanes.map(({ alive }) => alive),
      [false, false],
    );
  });
});
