import { FaultBench, PATIENCE_MS } from './fault-bench.js';
import { type Tables, readTables } from './result-tables.js';
import { describeWithTemporal } from '../temporal-cli.js';

/** Where a fault happens: a bench of its tests' own, and what any run over its input gives when nothing disturbs it. */
export interface Scene {
  bench: FaultBench;
  undisturbed: Tables;
}

let undisturbed: Tables | undefined;

/** Runs `tests` with a scene whose embedded agent has `lanes` CPU lanes; it is set before their first hook. */
export function describeWithBench(title: string, lanes: number, tests: (scene: Scene) => void): void {
  describeWithTemporal(title, () => {
    const scene = {} as Scene;
    before(async () => {
      scene.bench = await FaultBench.start(lanes);
      scene.undisturbed = undisturbed ??= await undisturbedTables();
    });
    after(() => scene.bench?.close());
    tests(scene);
  });
}

/** On a bench of its own, so that no test finds its lanes warm. Made once for all tests of this process. */
async function undisturbedTables(): Promise<Tables> {
  const bench = await FaultBench.start(2);
  try {
    const run = await bench.run();
    await run.result(2 * PATIENCE_MS);
    return await readTables(run.outputDir);
  } finally {
    await bench.close();
  }
}
