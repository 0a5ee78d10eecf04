import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { type EmbeddedRun, openEmbeddedRun } from '../../src/cli/embedded-run.js';
import { temporalCli } from './temporal-cli.js';

/** An embedded server with an agent, in a state folder of its own, for one test file. */
export interface TestTemporal extends EmbeddedRun {
  stateDir: string;
  /** A folder for outputs; removed at the end. */
  workDir: string;
}

/** Starts a real server and a real agent with `lanes` CPU lanes. */
export async function startTestTemporal(lanes: number): Promise<TestTemporal> {
  const workDir = await mkdtemp(path.join(tmpdir(), 'virnucpro-test-'));
  const stateDir = path.join(workDir, 'state');
  const before = process.env['VIRNUCPRO_STATE_DIR'];
  process.env['VIRNUCPRO_STATE_DIR'] = stateDir;
  const run = await openEmbeddedRun({ lanes, threads: availableParallelism(), temporalCli });
  if (before === undefined) delete process.env['VIRNUCPRO_STATE_DIR'];
  else process.env['VIRNUCPRO_STATE_DIR'] = before;
  return {
    ...run,
    stateDir,
    workDir,
    close: async () => {
      await run.close();
      await rm(workDir, { recursive: true, force: true });
    },
  };
}
