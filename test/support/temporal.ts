import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { type EmbeddedRun, openEmbeddedRun } from '../../src/cli/embedded-run.js';
import { cacheFolderPath } from '../../src/io/user-folders.js';
import { locateTemporalCli } from '../../src/server/temporal-cli.js';

/** The Temporal CLI on this machine, never downloaded or built by a test; set-up does that. */
export const temporalCli = await locateTemporalCli({ cacheDir: cacheFolderPath(), log: pino({ level: 'silent' }) });

/** `describe`, or a skip that says why where no Temporal CLI is to be found. */
export function describeWithTemporal(title: string, suite: (this: Mocha.Suite) => void): void {
  if (temporalCli === undefined) describe.skip(`${title} [skipped: no Temporal CLI, run npm run setup]`, suite);
  else describe(title, suite);
}

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
