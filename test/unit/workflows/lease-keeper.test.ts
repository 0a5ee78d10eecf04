import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import type { LaneUp, RunningBatch } from '../../../src/contract/leases.js';
import { LeaseKeeper } from '../../../src/workflows/lease-keeper.js';

type Ping = 'answers' | 'silent' | 'cancelled';

/** A keeper with hosts that do what the test says. Leases are called l1, l2, ...; they may fail 3 times in a row. */
function setUp(avoided: string[] = []): {
  keeper: LeaseKeeper;
  /** Offers and leases that have not ended. */
  held: Map<string, { avoid: string[]; end(): void; fail(why: string): void }>;
  /** What the stage run was told, and what it had done to lanes. */
  events: string[];
  pings: Ping[];
  /** Called when lanes are about to end: a stage run asks for others then. */
  hooks: { onEnding(): void };
  /** Whether lanes that are asked to park do. */
  parks: { answer: boolean };
  take(lease: string, device?: string): LaneUp;
} {
  const held: ReturnType<typeof setUp>['held'] = new Map();
  const events: string[] = [];
  const pings: Ping[] = [];
  const hooks = { onEnding: (): void => {} };
  const parks = { answer: true };
  let names = 0;
  const keeper: LeaseKeeper = new LeaseKeeper(
    () => `l${++names}`,
    3,
    {
      hold: (lease, avoid) => {
        const end = new Promise<void>((resolve, reject) => {
          held.set(lease, {
            avoid,
            end: () => (held.delete(lease), resolve()),
            fail: (why) => (held.delete(lease), reject(new Error(why))),
          });
        });
        return { end, cancel: () => (events.push(`cancel ${lease}`), held.get(lease)?.fail('cancelled')) };
      },
      park: async ({ lease }) => {
        events.push(`park ${lease}`);
        if (!parks.answer) throw new Error('not reached');
        held.get(lease)!.end();
      },
      ping: async () => pings.shift() ?? 'silent',
      diagnose: (error) =>
        (error as { message: 'fatal' | 'gone' }).message.split(':')[0] as 'fatal' | 'gone' | 'retired' | 'broken',
      explain: (error) => (error as Error).message,
      onUp: ({ lease }) => events.push(`up ${lease}`),
      onEnding: (leases) => {
        events.push(`ending ${leases.join(' ')}`);
        hooks.onEnding();
      },
      onGone: (lease, charged?: RunningBatch) =>
        events.push(`gone ${lease}${charged ? ` charged ${charged.index}` : ''}`),
      onFatal: (error) => events.push(`fatal ${(error as Error).message}`),
    },
    avoided,
  );
  const take = (lease: string, device = 'cpu:0'): LaneUp => {
    const taken = { lease, host: 'h', device };
    keeper.taken(taken);
    return { ...taken, queue: lease, pid: 7, loadSeconds: 2 };
  };
  return { keeper, held, events, pings, hooks, parks, take };
}

describe('workflows/lease-keeper', () => {
  it('keeps one offer open, opens the next when a host has taken it, and none beyond what is wanted', () => {
    const { keeper, held, take } = setUp();
    for (let asked = 0; asked < 3; asked++) keeper.want(2);
    assert.deepEqual([...held.keys()], ['l1']);
    assert.equal(keeper.offering, true);
    take('l1');
    keeper.want(2);
    keeper.want(2);
    assert.deepEqual([...held.keys()], ['l1', 'l2']);
    take('l2', 'cpu:1');
    keeper.want(2);
    assert.deepEqual([...held.keys(), keeper.offering], ['l1', 'l2', false]);
  });

  it('withdraws an open offer that is no longer wanted, and lets lanes be', async () => {
    const { keeper, held, events, take } = setUp();
    keeper.want(2);
    keeper.up(take('l1'));
    keeper.want(2);
    events.length = 0;
    keeper.want(1);
    await turn();
    assert.deepEqual(events, ['ending l2', 'cancel l2', 'gone l2']);
    assert.deepEqual([...held.keys()], ['l1']);
  });

  it('counts model loads of cold lanes only, once though the agent says it twice, and again after a restart', () => {
    const { keeper, events, take } = setUp();
    keeper.want(2);
    const cold = take('l1');
    keeper.up(cold);
    keeper.up(cold);
    keeper.want(2);
    keeper.up({ ...take('l2'), loadSeconds: 0 });
    assert.equal(keeper.modelLoads, 1);
    keeper.down({ lease: 'l1', queue: 'l1', pid: 7, reason: 'killed', charged: { index: 4 } });
    keeper.up({ ...cold, pid: 8 });
    assert.equal(keeper.modelLoads, 2);
    assert.deepEqual(events, ['up l1', 'up l2', 'gone l1 charged 4', 'up l1']);
  });

  it('shows lanes that start or are down, not those that serve', () => {
    const { keeper, take } = setUp();
    keeper.want(1);
    assert.deepEqual(keeper.views(), []);
    const up = take('l1');
    const view = { lease: 'l1', host: 'h', device: 'cpu:0', pid: 0, running: 0, done: 0 };
    assert.deepEqual(keeper.views(), [{ ...view, state: 'starting' }]);
    keeper.up(up);
    assert.deepEqual(keeper.views(), []);
    keeper.down({ lease: 'l1', queue: 'l1', pid: 7, reason: 'killed' });
    assert.deepEqual(keeper.views(), [{ ...view, pid: 7, state: 'down' }]);
  });

  it('asks for another lane when one broke; gives up after three in a row, however often hosts come and go', async () => {
    const { keeper, held, events } = setUp();
    const lose = async (lease: string, why: string): Promise<void> => {
      keeper.want(1);
      held.get(lease)!.fail(why);
      await turn();
    };
    await lose('l1', 'broken');
    await lose('l2', 'broken');
    for (let i = 3; i < 10; i++) await lose(`l${i}`, 'gone');
    keeper.progressed();
    await lose('l10', 'broken');
    await lose('l11', 'broken');
    assert.ok(events.every((event) => event.startsWith('gone')));
    await lose('l12', 'broken');
    assert.deepEqual(events.slice(-2), ['fatal broken', 'gone l12']);
  });

  it('gives up at once when no lane can help', async () => {
    const { keeper, held, events } = setUp();
    keeper.want(1);
    held.get('l1')!.fail('fatal: model');
    await turn();
    assert.deepEqual(events, ['fatal fatal: model', 'gone l1']);
  });

  it('pings a lane whose batch went silent: it serves again when it answers, is given up after three silences', async () => {
    const { keeper, events, pings, take } = setUp();
    keeper.want(1);
    keeper.up(take('l1'));
    events.length = 0;
    pings.push('silent', 'silent', 'answers');
    await keeper.probe('l1');
    assert.deepEqual(events, ['up l1']);
    pings.push('cancelled');
    await keeper.probe('l1');
    assert.deepEqual(events, ['up l1']);
    pings.push('silent', 'silent', 'silent');
    await keeper.probe('l1');
    await turn();
    assert.deepEqual(events.slice(1), ['ending l1', 'cancel l1', 'gone l1']);
  });

  it('stops asking when the host reports the lane down', async () => {
    const { keeper, events, take } = setUp();
    keeper.want(1);
    keeper.up(take('l1'));
    const asked = keeper.probe('l1');
    keeper.down({ lease: 'l1', queue: 'l1', pid: 7, reason: 'killed' });
    await asked;
    assert.deepEqual(events, ['up l1', 'gone l1']);
  });

  it('releases all: lanes are parked, what is not up is cancelled, none gets work once the first is let go', async () => {
    const { keeper, held, events, take } = setUp();
    keeper.want(4);
    keeper.up(take('l1'));
    keeper.want(4);
    keeper.up(take('l2', 'cpu:1'));
    keeper.want(4);
    take('l3', 'cpu:2');
    keeper.want(4);
    events.length = 0;
    keeper.close();
    await keeper.releaseAll(true);
    assert.deepEqual(events.slice(0, 5), ['ending l1 l2 l3 l4', 'park l1', 'park l2', 'cancel l3', 'cancel l4']);
    assert.equal(held.size, 0);
    keeper.want(4);
    assert.equal(held.size, 0, 'no offer after the end');
  });

  it('cancels a lane that cannot be parked, and parks none of a run that was cancelled', async () => {
    for (const park of [true, false]) {
      const { keeper, events, parks, take } = setUp();
      parks.answer = false;
      keeper.want(1);
      keeper.up(take('l1'));
      events.length = 0;
      await keeper.releaseAll(park);
      assert.deepEqual(events, ['ending l1', ...(park ? ['park l1'] : []), 'cancel l1', 'gone l1']);
    }
  });

  it('reduces to the first lanes', async () => {
    const { keeper, held, take } = setUp();
    for (const [lease, device] of Object.entries({ l1: 'cpu:0', l2: 'cpu:1', l3: 'cpu:2' })) {
      keeper.want(3);
      keeper.up(take(lease, device));
    }
    keeper.reduceTo(1);
    await turn();
    assert.deepEqual([...held.keys()], ['l1']);
    keeper.reduceTo(0);
    await turn();
    assert.equal(held.size, 0);
  });

  it('asks for any lane but the drained one, from the offer that is open already on, until it is readmitted', async () => {
    const { keeper, held, hooks, take } = setUp(['h/cpu:5']);
    hooks.onEnding = () => keeper.want(2);
    keeper.want(2);
    keeper.up(take('l1'));
    keeper.want(2);
    assert.deepEqual(held.get('l2')!.avoid, ['h/cpu:5']);
    keeper.drain('h/cpu:0');
    keeper.want(2);
    await turn();
    assert.deepEqual(
      [...held].map(([lease, { avoid }]) => [lease, avoid]),
      [['l3', ['h/cpu:5', 'h/cpu:0']]],
    );
    assert.deepEqual(keeper.obstacles, ['not h/cpu:5, which was drained', 'not h/cpu:0, which was drained']);
    keeper.readmit();
    keeper.want(2);
    await turn();
    assert.deepEqual(
      [...held].map(([lease, { avoid }]) => [lease, avoid]),
      [['l4', []]],
    );
    assert.deepEqual(keeper.obstacles, []);
  });

  it('knows why lanes are missing, until one comes up', async () => {
    const { keeper, held, take } = setUp();
    keeper.want(1);
    held.get('l1')!.fail('gone');
    await turn();
    assert.deepEqual(keeper.obstacles, [], 'hosts may come and go');
    keeper.want(1);
    take('l2');
    held.get('l2')!.fail('broken: lane retired (h/cpu:0)');
    await turn();
    assert.deepEqual(keeper.obstacles, ['broken: lane retired (h/cpu:0)']);
    keeper.want(1);
    keeper.declined({ lease: 'l3', host: 'other', reason: 'no free cpu device' });
    keeper.declined({ lease: 'l3', host: 'h', reason: 'out of service: cpu:0: NaN' });
    assert.deepEqual(keeper.obstacles, ['other: no free cpu device', 'h: out of service: cpu:0: NaN']);
    keeper.up(take('l3'));
    assert.deepEqual(keeper.obstacles, []);
    keeper.declined({ lease: 'l3', host: 'h', reason: 'late' });
    assert.deepEqual(keeper.obstacles, []);
  });

  it('knows why a second lane is missing for as long as nobody takes its offer', async () => {
    const { keeper, take } = setUp();
    keeper.want(2);
    const first = take('l1');
    keeper.want(2);
    assert.equal(keeper.preparing, true);
    keeper.declined({ lease: 'l2', host: 'h', reason: 'too little memory' });
    keeper.up(first);
    assert.deepEqual([keeper.preparing, keeper.obstacles], [false, ['h: too little memory']]);
    for (const host of ['i', 'j', 'k', 'l']) keeper.declined({ lease: 'l2', host, reason: 'too little memory' });
    assert.deepEqual(keeper.obstacles.slice(2), ['j: too little memory', '2 more hosts decline']);
    take('l2', 'cpu:1');
    assert.deepEqual([keeper.preparing, keeper.obstacles], [true, []]);
  });

  it('a host that declined before the end of its own lane is known keeps its word', async () => {
    const { keeper, held, take } = setUp();
    keeper.want(2);
    keeper.taken(take('l1'));
    keeper.want(2);
    keeper.declined({ lease: 'l2', host: 'h', reason: 'out of service: cpu:0: NaN' });
    held.get('l1')!.fail('broken: lane retired (h/cpu:0)');
    await turn();
    assert.deepEqual(keeper.obstacles, ['h: out of service: cpu:0: NaN']);
  });

  it('goes on while a lane is up, however many others cannot start; without one it gives up', async () => {
    const { keeper, held, events, take } = setUp();
    keeper.want(2);
    keeper.up(take('l1'));
    for (let lease = 2; lease <= 8; lease++) {
      keeper.want(2);
      take(`l${lease}`, 'cpu:1');
      held.get(`l${lease}`)!.fail('broken');
      await turn();
    }
    assert.ok(!events.some((event) => event.startsWith('fatal')));
    held.get('l1')!.fail('gone');
    await turn();
    for (let lease = 9; lease <= 11; lease++) {
      keeper.want(2);
      take(`l${lease}`, 'cpu:1');
      held.get(`l${lease}`)!.fail('broken');
      await turn();
    }
    assert.deepEqual(
      events.filter((event) => event.startsWith('fatal')),
      ['fatal broken'],
    );
  });

  it('does not give up because devices are retired', async () => {
    const { keeper, held, events, take } = setUp();
    for (let lease = 1; lease <= 6; lease++) {
      keeper.want(1);
      take(`l${lease}`, `cpu:${lease}`);
      held.get(`l${lease}`)!.fail('retired');
      await turn();
    }
    assert.ok(!events.some((event) => event.startsWith('fatal')));
  });

  it('does not believe in a process that is known to have ended', () => {
    const { keeper, events, take } = setUp();
    keeper.want(1);
    const lane = take('l1');
    keeper.down({ lease: 'l1', queue: 'l1', pid: lane.pid, reason: 'killed' });
    keeper.up(lane);
    assert.deepEqual(events, ['gone l1']);
    keeper.up({ ...lane, pid: 8 });
    assert.deepEqual(events, ['gone l1', 'up l1']);
  });
});
