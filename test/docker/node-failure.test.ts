import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { troublesOf } from '../../src/cli/troubles.js';
import { STAGES, type Stage } from '../../src/contract/stages.js';
import { describeWithEngine } from '../support/docker/engine.js';
import { Fleet } from '../support/docker/fleet.js';
import { BUILD_MS } from '../support/docker/images.js';
import type { FleetNode } from '../support/docker/node.js';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import type { Tables } from '../support/faults/result-tables.js';
import type { BatchAttempt, WatchedRun } from '../support/faults/watched-run.js';
import { eventually } from '../support/processes.js';

/** What a call takes while something goes wrong, so that the run outlasts it: some 40 batches on two or three lanes. */
const SLOW = { callMs: 3_000 };

/** Between two looks at a run's history. */
const LOOK_MS = 250;

const STAGE = 'dnabert-s';

describeWithEngine('three nodes in containers that share an object store only', () => {
  let fleet: Fleet;
  let undisturbed: Tables | undefined;
  const recoveries: [what: string, seconds: number][] = [];

  before(async function () {
    this.timeout(BUILD_MS + 4 * PATIENCE_MS);
    fleet = await Fleet.start();
    await addNodes('node-a', 'node-b', 'node-c');
    const run = await fleet.run();
    await run.result(2 * PATIENCE_MS);
    undisturbed = await fleet.readTables(run);
    await fleet.removeNodes();
  });

  afterEach(async function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(await fleet.lastWords());
    await fleet.removeNodes();
  });

  after(async function () {
    this.timeout(PATIENCE_MS);
    if (undisturbed === undefined) process.stderr.write((await fleet?.lastWords()) ?? '');
    await fleet?.close();
    console.log('    seconds to recover:');
    for (const [what, seconds] of recoveries) console.log(`      ${seconds.toFixed(1).padStart(5)}  ${what}`);
  });

  it('a node is killed in mid-stage: its batches are done by the others', async () => {
    const [run, [, victim]] = await slowRun();
    const lost = await inHand(run, victim!);
    const killedAt = Date.now();
    await victim!.kill();
    await batchesDone(run, lost);
    recovered('a node killed, until its batches were done by others', killedAt);
    await finish(run);
    const theirs = (await completed(run, [STAGE])).filter(({ index }) => lost.includes(index));
    assert.ok(theirs.every(({ queue }) => hostOf(queue) !== victim!.name));
  });

  it('a node is cut off and comes back: its batches are done by the others, and then it takes part again', async () => {
    const [run, [, victim]] = await slowRun();
    const lost = await inHand(run, victim!);
    const cutAt = Date.now();
    victim!.cutOff();
    await batchesDone(run, lost);
    recovered('a node cut off, until its batches were done by others', cutAt);
    const reconnectedAt = Date.now();
    victim!.reconnect();
    await laneUp(run, victim!);
    recovered('its connections back, until its lane served again', reconnectedAt);
    await finish(run);
  });

  it("a node's disk is full: the run says so, the others work on, and with room it takes part again", async () => {
    const [run, [, victim]] = await slowRun();
    await victim!.fillDisk();
    let says = '';
    await soon(async () => {
      says = (await troublesOf(fleet.temporal, run.handle.workflowId)).join('\n');
      return says !== '';
    });
    assert.match(says, /^embedBatch waits for storage: .*(ENOSPC|no space|full)/i);
    const { done } = (await run.progress()).stages[STAGE];
    await run.until(({ stages }) => stages[STAGE].done >= done + 2, PATIENCE_MS);
    const before = (await completedBy(run, victim!)).length;
    const freedAt = Date.now();
    await victim!.freeDisk();
    await soon(async () => (await completedBy(run, victim!)).length > before);
    recovered('room on its disk again, until it finished a batch', freedAt);
    await finish(run);
  });

  it('the server is restarted: no finished batch is lost, no node is started again', async () => {
    const [before] = await slowRun();
    const done = await batchesOf(before);
    const restartedAt = Date.now();
    const run = await fleet.restartServer(before);
    await soon(async () => (await batchesOf(run)) > done);
    recovered('the server restarted, until the next batch was done', restartedAt);
    // Not `finish`: a lease that ran out while the server was away takes its batches along, though the lane still ends them.
    await complete(run);
  });

  it('a node comes late: it takes a lane of the run under way', async () => {
    const [run] = await slowRun('node-a', 'node-b');
    const addedAt = Date.now();
    const [late] = await addNodes('node-late');
    await laneUp(run, late!);
    recovered('a node added, until its lane served', addedAt);
    await soon(async () => (await completedBy(run, late!)).length > 0);
    await finish(run);
  });

  it('all nodes are rolled to a new build: each drains and exits with 0, and no batch runs into a timeout', async () => {
    const { images } = fleet;
    const [run, nodes] = await slowRun();
    for (const node of nodes) {
      const stoppedAt = Date.now();
      assert.equal(await node.stop(), 0);
      const next = await fleet.add(`${node.name}-next`, images.next);
      await laneUp(run, next);
      assert.equal((await next.shell('virnucpro --version')).trim(), images.nextVersion);
      recovered(`${node.name} stopped, until its successor served`, stoppedAt);
    }
    await finish(run);
    for (const stage of STAGES) {
      const ends = (await run.attempts(stage)).map(({ end }) => end);
      assert.ok(!ends.includes('timed out'), `${stage}: ${ends.join(', ')}`);
    }
  });

  function addNodes(...names: string[]): Promise<FleetNode[]> {
    return Promise.all(names.map((name) => fleet.add(name)));
  }

  /** A run whose first stage is under way on all of its nodes, slowly. */
  async function slowRun(...names: string[]): Promise<[WatchedRun, FleetNode[]]> {
    const nodes = await addNodes(...(names.length > 0 ? names : ['node-a', 'node-b', 'node-c']));
    await fleet.behave(SLOW);
    const run = await fleet.run();
    await run.lanePids(STAGE, nodes.length, 2 * PATIENCE_MS);
    await run.midBatch(STAGE, nodes.length, PATIENCE_MS);
    return [run, nodes];
  }

  /** The batches of the first stage that a node has now, at least one. */
  async function inHand(run: WatchedRun, { name }: FleetNode): Promise<number[]> {
    let indexes: number[] = [];
    await soon(async () => {
      indexes = (await run.onLanes(STAGE)).filter(({ queue }) => hostOf(queue) === name).map(({ index }) => index);
      return indexes.length > 0;
    });
    return indexes;
  }

  function batchesDone(run: WatchedRun, indexes: number[]): Promise<unknown> {
    return soon(async () => {
      const done = (await completed(run, [STAGE])).map(({ index }) => index);
      return indexes.every((index) => done.includes(index));
    });
  }

  async function batchesOf(run: WatchedRun): Promise<number> {
    return (await completed(run, STAGES)).length;
  }

  async function completedBy(run: WatchedRun, { name }: FleetNode): Promise<BatchAttempt[]> {
    return (await completed(run, STAGES)).filter(({ queue }) => hostOf(queue) === name);
  }

  async function completed(run: WatchedRun, stages: readonly Stage[]): Promise<BatchAttempt[]> {
    const attempts = await Promise.all(stages.map((stage) => run.attempts(stage)));
    return attempts.flat().filter(({ end }) => end === 'completed');
  }

  /** In whichever stage the run is by then. */
  function laneUp(run: WatchedRun, { name }: FleetNode): Promise<unknown> {
    return run.until(
      ({ stages }) => STAGES.some((stage) => stages[stage].lanes.some((l) => l.host === name && l.state === 'up')),
      PATIENCE_MS,
    );
  }

  /** Waits; a server that does not answer meanwhile counts as not yet. */
  function soon(holds: () => Promise<boolean>): Promise<unknown> {
    return eventually(async () => {
      await sleep(LOOK_MS);
      return holds().catch(() => false);
    }, PATIENCE_MS);
  }

  /** As {@link complete}, and no batch was embedded twice. */
  async function finish(run: WatchedRun): Promise<void> {
    await complete(run);
    for (const stage of STAGES) {
      const embedded = await run.embedded(stage);
      assert.deepEqual(embedded, [...new Set(embedded)], `${stage}: a batch was embedded twice`);
    }
  }

  /** Lets the run end, and compares: every batch was done, the tables are those of the undisturbed run. */
  async function complete(run: WatchedRun): Promise<void> {
    await fleet.behave({});
    const { counts } = await run.result(2 * PATIENCE_MS);
    assert.deepEqual(counts, { done: 1, failed: 0, framesQuarantined: 0 });
    for (const stage of STAGES) {
      const { batches } = (await run.progress()).stages[stage];
      const indexes = new Set((await completed(run, [stage])).map(({ index }) => index));
      assert.deepEqual(
        [...indexes].sort((a, b) => a - b),
        [...Array(batches).keys()],
        `${stage}: batches done`,
      );
    }
    await fleet.assertSameTables(run, undisturbed!);
  }

  function recovered(what: string, since: number): void {
    recoveries.push([what, (Date.now() - since) / 1000]);
  }
});

/** Queues of lanes are called `<stage>@<host>/<device>#<lease>`. */
function hostOf(queue: string): string | undefined {
  return /@(.+)\//.exec(queue)?.[1];
}
