import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LaneExit } from '../../../src/activities/hold-lane.js';
import type { Device } from '../../../src/contract/devices.js';
import { DeviceError, LaneLost, ModelError } from '../../../src/contract/failures.js';
import type { LaneOffer } from '../../../src/contract/leases.js';
import type { HostMetrics, LossCause } from '../../../src/workers/host-metrics.js';
import { LaneHandle } from '../../../src/workers/lane-handle.js';
import type { Logger } from '../../../src/workers/log.js';
import type { FixtureLane } from '../../support/fixture-lane.js';
import { laneOffer } from '../../support/lane-offer.js';
import { cpusOf } from '../../support/processes.js';

const FIXTURE = fileURLToPath(new URL('../../support/fixture-lane.js', import.meta.url));

const cpu0: Device = { kind: 'cpu', index: 0, threads: 3 };

/** Events by their message, each with its fields. */
class Heard implements Logger {
  readonly events: { message: string; fields: Record<string, unknown> }[] = [];

  debug = this.write.bind(this);
  info = this.write.bind(this);
  warn = this.write.bind(this);
  error = this.write.bind(this);
  child = (): Logger => this;

  fieldsOf(message: string): Record<string, unknown> | undefined {
    return this.events.find((event) => event.message === message)?.fields;
  }

  private write(fields: object, message: string): void {
    this.events.push({ message, fields: { ...fields } });
  }
}

describe('workers/lane-handle', () => {
  let lanes: LaneHandle[] = [];
  const log = new Heard();
  /** What the lanes of one test told their host's metrics. */
  let told: string[] = [];
  const metrics: Pick<HostMetrics, 'lane'> = {
    lane: () => {
      told.push('starting');
      return {
        state: (state) => told.push(state ?? 'gone'),
        loaded: () => told.push('loaded'),
        finished: ({ frames }) => told.push(`${frames} frames`),
        lost: (cause) => told.push(cause),
      };
    },
  };
  beforeEach(() => (told = []));
  afterEach(async () => {
    lanes.forEach((lane) => lane.kill());
    await Promise.all(lanes.map(({ exited }) => exited));
    lanes = [];
  });

  function spawn(
    fixture: FixtureLane = {},
    { offer = {}, device = cpu0, env = {} }: { offer?: Partial<LaneOffer>; device?: Device; env?: object } = {},
  ): LaneHandle {
    const { model } = laneOffer();
    const asked = laneOffer({ model: { ...model, path: JSON.stringify(fixture) }, ...offer });
    const lane = new LaneHandle(device, asked, log, { ...process.env, ...env }, metrics, FIXTURE);
    lanes.push(lane);
    return lane;
  }

  it('one process serves queue after queue with one load; its memory is logged before and after each', async () => {
    log.events.length = 0;
    const work = { frames: 7, tokens: 70, seconds: 1, modelLoads: 0, quarantined: {} };
    const lane = spawn({ onOpen: [{ op: 'finished', batch: work }] });
    assert.equal(await lane.start(), 2.5);
    const { pid } = lane;
    for (const queue of ['first', 'second']) {
      await lane.open(queue, laneOffer({ lease: queue }));
      await lane.close();
    }
    assert.deepEqual([lane.pid, lane.alive], [pid, true]);
    await lane.stop();
    assert.deepEqual(
      log.events.flatMap(({ message, fields }) => ('rssBytes' in fields ? [[message, fields['rssBytes']]] : [])),
      [
        ['lane warm', 100],
        ['lane serves', 110],
        ['lane released', 120],
        ['lane serves', 110],
        ['lane released', 120],
        ['lane released', 120],
      ],
    );
    const states = told.filter((word) => word !== '7 frames');
    assert.deepEqual(states, ['starting', 'loaded', 'up', 'warm', 'up', 'warm', 'gone'], 'asked to end: no loss');
    assert.equal(told.length - states.length, 2, 'what each lease finished');
    assert.deepEqual(log.fieldsOf('lane serves'), { queue: 'first', rssBytes: 110 });
  });

  it('a closed lane gives its memory back: its process is gone', async () => {
    const lane = spawn();
    await lane.start();
    const residentPages = (): number => Number(readFileSync(`/proc/${lane.pid}/statm`, 'utf8').split(' ')[1]);
    assert.ok(residentPages() > 1_000);
    await lane.stop();
    assert.equal(lane.alive, false);
    assert.throws(residentPages, { code: 'ENOENT' });
  });

  it('binds itself, with all its threads, to the CPUs of its device', async () => {
    const [cpu] = cpusOf(process.pid).slice(-1);
    const bound = spawn({}, { device: { ...cpu0, cpus: [cpu!] } });
    const free = spawn();
    await Promise.all([bound.start(), free.start()]);
    assert.deepEqual(cpusOf(bound.pid), [cpu]);
    assert.deepEqual(cpusOf(free.pid), cpusOf(process.pid));
    await bound.stop();
  });

  describe('pins its device: a CUDA lane sees one entry of what the agent sees', () => {
    const said = async (device: Device, inherited?: string): Promise<string> => {
      const env = { ...process.env };
      delete env['CUDA_VISIBLE_DEVICES'];
      if (inherited !== undefined) env['CUDA_VISIBLE_DEVICES'] = inherited;
      const model = { ...laneOffer().model, path: JSON.stringify({ onStart: [failed('$CUDA|$TITLE')] }) };
      const lane = new LaneHandle(device, laneOffer({ model }), log, env, metrics, FIXTURE);
      lanes.push(lane);
      const error = await lane.start().catch((e: unknown) => e);
      return (error as ModelError).what;
    };
    const failed = (message: string): { op: 'failed'; type: string; message: string } => ({
      op: 'failed',
      type: 'ModelError',
      message,
    });
    const cases: [inherited: string | undefined, index: number, pinned: string][] = [
      [undefined, 1, '1'],
      ['2,3', 1, '3'],
      ['GPU-8f7, MIG-c1/3/0', 1, 'MIG-c1/3/0'],
      ['GPU-8f7', 0, 'GPU-8f7'],
    ];
    for (const [inherited, index, pinned] of cases) {
      it(`${inherited ?? 'all'}: cuda:${index} is ${pinned}`, async () => {
        const device: Device = { kind: 'cuda', index, threads: 1 };
        assert.equal(await said(device, inherited), `${pinned}|virnucpro-lane esm-2 cuda:${index}`);
      });
    }

    it('a CPU lane sees none', async () => {
      assert.equal(await said(cpu0, '2,3'), '|virnucpro-lane esm-2 cpu:0');
    });

    it('a device beyond them is absent, not some other', () => {
      for (const inherited of ['2,3', '']) {
        assert.throws(
          () =>
            new LaneHandle(
              { kind: 'cuda', index: 2, threads: 1 },
              laneOffer(),
              log,
              { CUDA_VISIBLE_DEVICES: inherited },
              metrics,
            ),
          (error: DeviceError) => error instanceof DeviceError && error.what.includes(`cuda:2`),
        );
      }
    });
  });

  it('hands on what the process says it failed of: a model for good, else the lane', async () => {
    for (const [type, expected] of Object.entries({ ModelError, TypeError: LaneLost })) {
      const lane = spawn({ onStart: [{ op: 'failed', type, message: `says ${type}` }] });
      await assert.rejects(
        lane.start(),
        (error: LaneLost) =>
          error instanceof expected &&
          error.what === `says ${type}` &&
          error.where === `lane esm-2 cpu:0, pid ${lane.pid}`,
      );
    }
  });

  type Expected = Partial<LaneExit> & { cause: LossCause };
  const batch = { index: 4, rows: { from: 2, to: 3 } };
  const running = { op: 'running', batch } as const;

  describe('charges the batch that ran when the process died by itself, and no other', () => {
    const cases: [title: string, fixture: FixtureLane, signal: NodeJS.Signals | undefined, expected: Expected][] = [
      [
        'abort',
        { onOpen: [running], end: 'SIGABRT' },
        undefined,
        { cause: 'crash', reason: 'process ended with SIGABRT', running: batch, charge: true },
      ],
      [
        'exit code 3',
        { onOpen: [running], end: 3 },
        undefined,
        { cause: 'crash', reason: 'process ended with exit code 3', running: batch, charge: true },
      ],
      [
        'exit code 0',
        { onOpen: [running], end: 0 },
        undefined,
        { cause: 'killed', reason: 'process ended with exit code 0', running: batch, charge: false },
      ],
      [
        'SIGKILL from outside',
        { onOpen: [running, { op: 'parked' }] },
        'SIGKILL',
        { cause: 'killed', reason: 'process ended with SIGKILL', running: batch, charge: false },
      ],
      [
        'SIGTERM from outside',
        { onOpen: [running, { op: 'parked' }] },
        'SIGTERM',
        { cause: 'killed', reason: 'process ended with SIGTERM', running: batch, charge: false },
      ],
      [
        'abort after its batch',
        { onOpen: [running, { op: 'running' }], end: 'SIGABRT' },
        undefined,
        { cause: 'crash', reason: 'process ended with SIGABRT', worked: true, charge: true },
      ],
      [
        'a call that never returns',
        { onOpen: [running, { op: 'stalled' }] },
        undefined,
        { cause: 'hung', reason: 'a model call does not return', running: batch, charge: true },
      ],
      [
        'a device that is sick',
        { onOpen: [running, { op: 'sick', message: 'NaN' }] },
        undefined,
        { cause: 'sick', reason: 'NaN', running: batch, charge: false, sick: true },
      ],
    ];
    for (const [title, fixture, signal, expected] of cases) {
      it(title, async () => {
        const lane = spawn(fixture);
        const parked = new Promise<void>((resolve) => (lane.onParked = resolve));
        await lane.start();
        await lane.open('queue', lane.offer);
        if (signal !== undefined) {
          // The last that it tells.
          await parked;
          process.kill(lane.pid, signal);
        }
        const { cause, ...exit } = expected;
        assert.deepEqual(await lane.exited, { worked: false, sick: false, ...exit });
        assert.deepEqual(told, ['starting', 'loaded', 'up', 'gone', cause]);
      });
    }
  });

  it('kills a process that stops answering, after a count of pings, and blames nobody', async () => {
    const lane = spawn({ onOpen: [running, { op: 'parked' }] }, { offer: { heartbeatMs: 300 } });
    const parked = new Promise<void>((resolve) => (lane.onParked = resolve));
    await lane.start();
    await lane.open('queue', lane.offer);
    await parked;
    process.kill(lane.pid, 'SIGSTOP');
    const stoppedAt = performance.now();
    assert.deepEqual(await lane.exited, {
      reason: 'the lane process does not answer',
      running: batch,
      worked: false,
      charge: false,
      sick: false,
    });
    assert.ok(performance.now() - stoppedAt >= 200, 'not before it has missed three');
  });

  it('a warm lane is watched by the terms of the lease that takes it over', async () => {
    const lane = spawn({ onOpen: [running, { op: 'parked' }] }, { offer: { heartbeatMs: 3_600_000 } });
    const parked = new Promise<void>((resolve) => (lane.onParked = resolve));
    await lane.start();
    await lane.open('queue', laneOffer({ lease: 'second', heartbeatMs: 300 }));
    await parked;
    process.kill(lane.pid, 'SIGSTOP');
    assert.equal((await lane.exited).reason, 'the lane process does not answer');
    assert.deepEqual(told, ['starting', 'loaded', 'up', 'gone', 'hung']);
  });

  it('lets a process that has not said anything yet load its model in peace', async () => {
    const lane = spawn({ onStart: [] }, { offer: { heartbeatMs: 30 } });
    process.kill(lane.pid, 'SIGSTOP');
    const early = await Promise.race([lane.exited, new Promise((resolve) => setTimeout(resolve, 300, 'loading'))]);
    assert.equal(early, 'loading');
  });

  it('ends what waits for an answer when the process dies', async () => {
    const lane = spawn({ onStart: [] });
    const starting = lane.start();
    lane.kill();
    await assert.rejects(starting, (error: LaneLost) => error.what === 'process ended with SIGKILL');
    await assert.rejects(lane.open('queue', lane.offer), LaneLost);
  });

  it('tells when the stage run parks the lane', async () => {
    const lane = spawn({ onOpen: [{ op: 'parked' }] });
    const parked = new Promise<void>((resolve) => (lane.onParked = resolve));
    await lane.start();
    await lane.open('queue', lane.offer);
    await parked;
  });
});
