import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { reportEnd } from '../../../src/cli/summary.js';
import type { CampaignTotals } from '../../../src/contract/run.js';

describe('cli/summary', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-summary-'));
  });
  after(() => rm(dir, { recursive: true }));

  /** What the end of such a run says on standard output, with its exit code. */
  async function endOf(counts: CampaignTotals, quiet?: boolean): Promise<{ said: string; code: unknown }> {
    const { write } = process.stdout;
    let said = '';
    process.stdout.write = ((text: string) => (said += text) !== '') as typeof write;
    try {
      await reportEnd({ counts, samples: [], failed: [] }, dir, quiet);
      return { said, code: process.exitCode };
    } finally {
      process.stdout.write = write;
      process.exitCode = undefined;
    }
  }

  const cases: [title: string, counts: CampaignTotals, code: number | undefined, says: RegExp][] = [
    ['all is done', { done: 2, failed: 0, framesQuarantined: 0 }, undefined, /^2 of 2 samples done, 0 failed$/m],
    ['a sample failed', { done: 1, failed: 1, framesQuarantined: 0 }, 3, /^1 of 2 samples done, 1 failed$/m],
    [
      'frames were quarantined',
      { done: 2, failed: 0, framesQuarantined: 3 },
      3,
      /^3 frames were quarantined: see quarantined.tsv/m,
    ],
  ];
  for (const [title, counts, code, says] of cases) {
    it(`${title}: exit code ${code ?? 0}`, async () => {
      const { said, code: found } = await endOf(counts);
      assert.equal(found, code);
      assert.match(said, says);
    });
  }

  it('with --quiet says nothing of a run that is done, and all of one that is partial', async () => {
    assert.deepEqual(await endOf({ done: 2, failed: 0, framesQuarantined: 0 }, true), { said: '', code: undefined });
    const partial = await endOf({ done: 1, failed: 1, framesQuarantined: 0 }, true);
    assert.deepEqual(partial, await endOf({ done: 1, failed: 1, framesQuarantined: 0 }));
  });
});
