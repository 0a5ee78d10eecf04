import { pino } from 'pino';
import { cacheFolderPath } from '../../src/io/user-folders.js';
import { locateTemporalCli } from '../../src/server/temporal-cli.js';

/** A Temporal CLI that is on this machine already; tests install none. */
export const temporalCli = await locateTemporalCli({ cacheDir: cacheFolderPath(), log: pino({ level: 'silent' }) });

/** `describe` for tests that need the Temporal CLI: elsewhere one skip that says why. */
export function describeWithTemporal(title: string, tests: (temporalCli: string) => void): void {
  if (temporalCli !== undefined) describe(title, () => tests(temporalCli as string));
  else describe.skip(`${title} (skipped: no Temporal CLI here; run \`virnucpro server install\`)`, () => tests(''));
}
