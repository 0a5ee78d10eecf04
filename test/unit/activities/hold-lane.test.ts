import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { ActivityCancellationDetails, WorkflowNotFoundError } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { type HoldLaneDeps, type LaneExit, type LeasedLane, holdLane } from '../../../src/activities/hold-lane.js';
import type { Device } from '../../../src/contract/devices.js';
import { Declined, DeviceError, LaneLost, LaneSick, ModelError } from '../../../src/contract/failures.js';
import type { LaneOffer } from '../../../src/contract/leases.js';
import { withFakeTime } from '../../support/fake-time.js';
import { laneOffer } from '../../support/lane-offer.js';

const device: Device = { kind: 'cpu', index: 0, threads: 1 };

let pids = 100;

/** A lane process that does what a test says. */
class FakeLane implements LeasedLane {
  readonly pid = ++pids;
  readonly did: string[] = [];
  onParked: () => void = () => {};
  private end: (exit: LaneExit) => void = () => {};
  readonly exited = new Promise<LaneExit>((resolve) => (this.end = resolve));

  /** @param loads what `start` does. */
  constructor(private readonly loads: () => Promise<number> = async () => 3) {}

  async start(): Promise<number> {
    this.did.push('start');
    return this.loads();
  }

  async open(queue: string): Promise<void> {
    this.did.push(`open ${queue}`);
  }

  async close(): Promise<void> {
    this.did.push('close');
  }

  async stop(): Promise<void> {
    this.did.push('stop');
    this.dies();
  }

  kill(): void {
    this.did.push('kill');
    this.dies();
  }

  dies(how: Partial<LaneExit> = {}): void {
    this.end({ reason: 'process ended', worked: false, charge: false, sick: false, ...how });
  }
}

/** A lease on a host with one device, seen from both sides. */
class Bench {
  /** What the run was told, e.g. `laneUp 101 0 s`. */
  readonly told: string[] = [];
  readonly spawned: FakeLane[] = [];
  readonly released: { lane: LeasedLane | undefined; seconds: number }[] = [];
  /** What the last released lane's pool would ask now and then. */
  isOver: () => Promise<boolean> = async () => false;
  readonly retired: string[] = [];
  warm: FakeLane | undefined;
  /** Why the host declines, if it does. */
  declines: string | undefined;
  loaded = 0;
  runStatus: string | undefined = 'RUNNING';
  newLane: () => FakeLane = () => new FakeLane();
  /** Called with every signal; may throw. */
  onSignal: (name: string) => void = () => {};
  private readonly environment = new MockActivityEnvironment(
    { workflowExecution: { workflowId: 'slice', runId: 'run' }, heartbeatTimeoutMs: 3_000 },
    { client: this.client(), logger: new DefaultLogger('ERROR', () => {}) },
  );

  hold(offer: Partial<LaneOffer> = {}, host = 'h'): Promise<void> {
    const deps: HoldLaneDeps = {
      host,
      take: async () => {
        if (this.declines !== undefined) throw new Declined({ what: this.declines, next: '' });
        return { device, warm: this.warm };
      },
      spawn: () => {
        const lane = this.newLane();
        this.spawned.push(lane);
        return lane;
      },
      loaded: () => void this.loaded++,
      release: (_, warm) => {
        this.released.push({ lane: warm?.lane, seconds: warm?.seconds ?? 0 });
        if (warm !== undefined) this.isOver = warm.isOver;
      },
      retire: (_, reason) => void this.retired.push(reason),
    };
    return this.environment.run((): Promise<void> => holdLane(laneOffer(offer), deps));
  }

  cancel(details: { notFound?: boolean; cancelRequested?: boolean; workerShutdown?: boolean }): void {
    const reason = details.notFound ? 'NOT_FOUND' : details.workerShutdown ? 'WORKER_SHUTDOWN' : 'CANCELLED';
    this.environment.cancel(reason, new ActivityCancellationDetails(details));
  }

  /** Waits for a signal. */
  async until(told: RegExp, times = 1): Promise<void> {
    for (let i = 0; i < 1000; i++) {
      if (this.told.filter((event) => told.test(event)).length >= times) return;
      await turn();
    }
    assert.fail(`not told ${told}, but ${this.told.join(', ')}`);
  }

  private client(): Client {
    const signal = async (name: string, payload: Record<string, unknown>): Promise<void> => {
      this.onSignal(name);
      const { pid, loadSeconds, reason, charged } = payload as { charged?: { index: number } } & typeof payload;
      const said = [pid, loadSeconds === undefined ? undefined : `${String(loadSeconds)} s`, reason];
      this.told.push(
        [name, ...said, charged && `charged ${charged.index}`].filter((part) => part !== undefined).join(' '),
      );
    };
    const describe = async (): Promise<object> => {
      if (this.runStatus === undefined) throw new WorkflowNotFoundError('gone', 'slice', 'run');
      return { status: { name: this.runStatus } };
    };
    const getHandle = (workflowId: string, runId?: string): object => {
      assert.deepEqual([workflowId, runId], runId === undefined ? ['campaign', undefined] : ['slice', 'run']);
      return { signal, describe };
    };
    const withAbortSignal = <T>(_: AbortSignal, work: () => Promise<T>): Promise<T> => work();
    return { workflow: { getHandle }, withAbortSignal } as unknown as Client;
  }
}

describe('activities/hold-lane', () => {
  const QUEUE = 'esm-2@h/cpu:0#lease';

  it('starts a lane, says so, and keeps it warm when the run parks it', async () => {
    const bench = new Bench();
    const holding = bench.hold({ keepWarmSeconds: 77 });
    await bench.until(/laneUp/);
    const [lane] = bench.spawned;
    assert.deepEqual(bench.told, ['laneTaken', `laneUp ${lane!.pid} 3 s`]);
    assert.equal(bench.loaded, 1, 'its host knows what it takes');
    lane!.onParked();
    await holding;
    assert.deepEqual(lane!.did, ['start', `open ${QUEUE}`, 'close']);
    assert.deepEqual(bench.released, [{ lane, seconds: 77 }]);
  });

  it('takes a warm lane over: a new queue, the same process, no load', async () => {
    const bench = new Bench();
    bench.warm = new FakeLane();
    const holding = bench.hold();
    await bench.until(/laneUp/);
    assert.deepEqual(bench.told, ['laneTaken', `laneUp ${bench.warm.pid} 0 s`]);
    assert.deepEqual([bench.warm.did, bench.spawned], [[`open ${QUEUE}`], []]);
    bench.warm.onParked();
    await holding;
  });

  it('keeps none warm when that is not wanted, or the model is loaded for every batch anyway', async () => {
    for (const offer of [{ keepWarmSeconds: 0 }, { persistent: false }]) {
      const bench = new Bench();
      const holding = bench.hold(offer);
      await bench.until(/laneUp/);
      assert.equal(bench.loaded, offer.persistent === false ? 0 : 1, 'the other mode loads later, again and again');
      bench.spawned[0]!.onParked();
      await holding;
      assert.deepEqual(bench.spawned[0]!.did.slice(2), ['stop']);
      assert.deepEqual(bench.released, [{ lane: undefined, seconds: 0 }]);
    }
  });

  it('a lane that is kept warm is over when its campaign was ended from outside', async () => {
    const bench = new Bench();
    const holding = bench.hold();
    await bench.until(/laneUp/);
    bench.spawned[0]!.onParked();
    await holding;
    for (const [status, isOver] of [
      ['RUNNING', false],
      ['COMPLETED', false],
      ['FAILED', false],
      ['CONTINUED_AS_NEW', false],
      [undefined, false],
      ['CANCELLED', true],
      ['TERMINATED', true],
      ['TIMED_OUT', true],
    ] as const) {
      bench.runStatus = status;
      assert.equal(await bench.isOver(), isOver, status);
    }
  });

  it('declines without touching anything, and tells the run why once a lease and reason', async () => {
    const bench = new Bench();
    for (const reason of ['no free cpu device', 'out of service: cpu:0: NaN']) {
      bench.declines = reason;
      for (let attempt = 0; attempt < 3; attempt++) {
        await assert.rejects(bench.hold({ lease: 'x' }), (error: Declined) => error.what === reason);
      }
    }
    assert.deepEqual(bench.told, ['laneDeclined no free cpu device', 'laneDeclined out of service: cpu:0: NaN']);
    await assert.rejects(bench.hold({ lease: 'y' }), Declined);
    assert.equal(bench.told.length, 3, 'another lease hears it, too');
    assert.deepEqual([bench.spawned, bench.released], [[], []]);
  });

  describe('closes the lane however it is cancelled, and keeps it only for a run that goes on without knowing of it', () => {
    const cases: [title: string, how: Parameters<Bench['cancel']>[0], status: string | undefined, warm: boolean][] = [
      ['cancelled', { cancelRequested: true }, 'RUNNING', false],
      ['the host shuts down', { workerShutdown: true }, 'RUNNING', false],
      ['not found, the run goes on (the server was away)', { notFound: true }, 'RUNNING', true],
      ['not found, the run was terminated', { notFound: true }, 'TERMINATED', false],
      ['not found, the run timed out', { notFound: true }, 'TIMED_OUT', false],
      ['not found, nor is the run', { notFound: true }, undefined, false],
    ];
    for (const [title, how, status, warm] of cases) {
      it(title, async () => {
        const bench = new Bench();
        bench.runStatus = status;
        const holding = bench.hold();
        await bench.until(/laneUp/);
        bench.cancel(how);
        await assert.rejects(holding, { name: 'CancelledFailure' });
        const [lane] = bench.spawned;
        assert.deepEqual(lane!.did.slice(2), [warm ? 'close' : 'stop']);
        assert.deepEqual(bench.released, [warm ? { lane, seconds: 120 } : { lane: undefined, seconds: 0 }]);
      });
    }

    it('cancelled while the model loads', async () => {
      const bench = new Bench();
      bench.newLane = () => new FakeLane(() => new Promise(() => {}));
      const holding = bench.hold();
      await bench.until(/laneTaken/);
      await turn();
      bench.cancel({ cancelRequested: true });
      await assert.rejects(holding, { name: 'CancelledFailure' });
      assert.deepEqual(bench.spawned[0]!.did, ['start', 'stop']);
      assert.equal(bench.released.length, 1);
    });
  });

  it('starts a process that died again, on the same queue, and charges what it says', async () => {
    const bench = new Bench();
    const { waitedMs } = await withFakeTime(async () => {
      const holding = bench.hold();
      await bench.until(/laneUp/);
      bench.spawned[0]!.dies({ reason: 'SIGABRT', running: { index: 4 }, charge: true });
      await bench.until(/laneDown/);
      // The rest of the test waits for the backoff.
      const parked = (async (): Promise<void> => {
        while (bench.spawned.length < 2) await turn();
        await bench.until(/laneUp/, 2);
        bench.spawned[1]!.dies({ reason: 'SIGKILL', running: { index: 5 } });
        while (bench.spawned.length < 3) await turn();
        await bench.until(/laneUp/, 3);
        bench.spawned[2]!.onParked();
      })();
      await Promise.all([parked, holding]);
    });
    const [a, b, c] = bench.spawned.map(({ pid }) => pid);
    assert.deepEqual(bench.told, [
      'laneTaken',
      `laneUp ${a} 3 s`,
      `laneDown ${a} SIGABRT charged 4`,
      `laneUp ${b} 3 s`,
      `laneDown ${b} SIGKILL`,
      `laneUp ${c} 3 s`,
    ]);
    assert.ok(bench.spawned.every(({ did }) => did[1] === `open ${QUEUE}`));
    assert.equal(waitedMs, 1000, 'half a second after each death under a batch');
  });

  it('gives a lane up that dies six times in a row without a batch, after 0.5 + 1 + 2 + 4 + 8 s', async () => {
    const bench = new Bench();
    bench.newLane = () => {
      const lane = new FakeLane();
      setImmediate(() => lane.dies({ reason: 'exit code 3' }));
      return lane;
    };
    const { result, waitedMs } = await withFakeTime(() => bench.hold().catch((error: unknown) => error));
    assert.ok(result instanceof LaneLost);
    assert.equal(result.what, 'lane process died 6 times in a row without a finished batch, at last: exit code 3');
    assert.equal(result.where, 'h/cpu:0');
    assert.deepEqual([bench.spawned.length, waitedMs], [6, 15_500]);
    assert.deepEqual(bench.released, [{ lane: undefined, seconds: 0 }]);
  });

  it('goes on with a lane that dies now and then, as long as each process finished a batch', async () => {
    const bench = new Bench();
    bench.newLane = () => {
      const lane = new FakeLane();
      setImmediate(() => (bench.spawned.length > 9 ? lane.onParked() : lane.dies({ worked: true })));
      return lane;
    };
    const { waitedMs } = await withFakeTime(() => bench.hold());
    assert.deepEqual([bench.spawned.length, waitedMs], [10, 9 * 500]);
  });

  it('restarts a sick device once, then retires it with its reason', async () => {
    const bench = new Bench();
    bench.newLane = () => {
      const lane = new FakeLane();
      setImmediate(() => lane.dies({ reason: 'other vectors', running: { index: 1 }, sick: true }));
      return lane;
    };
    const { result } = await withFakeTime(() => bench.hold().catch((error: unknown) => error));
    assert.ok(result instanceof LaneSick);
    assert.deepEqual([result.what, result.where], ['lane retired: other vectors', 'h/cpu:0']);
    assert.deepEqual([bench.spawned.length, bench.retired], [2, ['other vectors']]);
    assert.ok(bench.told.every((event) => !event.includes('charged')));
  });

  it('a wrong model is final: no restart', async () => {
    const bench = new Bench();
    const error = new ModelError({ what: 'shape', next: '' });
    bench.newLane = () => new FakeLane(() => Promise.reject(error));
    await assert.rejects(bench.hold(), error);
    assert.equal(bench.spawned.length, 1);
    assert.deepEqual(bench.spawned[0]!.did, ['start', 'stop']);
    assert.equal(bench.released.length, 1);
  });

  it('an absent device is retired at once: the run goes on elsewhere', async () => {
    const bench = new Bench();
    bench.newLane = () => {
      throw new DeviceError({ what: 'no cuda:7', next: '' });
    };
    await assert.rejects(bench.hold(), { name: 'LaneSick', what: 'lane retired: no cuda:7', where: 'h/cpu:0' });
    assert.deepEqual([bench.spawned.length, bench.retired, bench.released.length], [0, ['no cuda:7'], 1]);
  });

  it('tells the run for as long as the server is away, and leaves one that is gone to the next heartbeat', async () => {
    const bench = new Bench();
    let away = 3;
    bench.onSignal = () => {
      if (away-- > 0) throw new Error('unavailable');
    };
    const { waitedMs } = await withFakeTime(async () => {
      const holding = bench.hold();
      while (!bench.told.some((event) => event.startsWith('laneUp'))) await turn();
      bench.spawned[0]!.onParked();
      await holding;
    });
    assert.deepEqual([bench.told.length, waitedMs], [2, 250 + 500 + 1000]);

    const gone = new Bench();
    gone.onSignal = () => {
      throw new WorkflowNotFoundError('gone', 'slice', 'run');
    };
    const holding = gone.hold();
    while (gone.spawned[0]?.did.length !== 2) await turn();
    gone.cancel({ notFound: true });
    await assert.rejects(holding, { name: 'CancelledFailure' });
  });
});
