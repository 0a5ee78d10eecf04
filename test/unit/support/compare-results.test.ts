import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { compareResults } from '../../support/compare-results.js';

describe('support/compare-results', () => {
  const reference = 'test/fixtures/golden/cases/edge-500/prediction_results.txt';
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-compare-'))));
  after(() => rm(dir, { recursive: true }));

  const compareChanged = async (from: string, to: string): Promise<number> => {
    const file = path.join(dir, 'changed');
    const text = await readFile(reference, 'utf8');
    assert.ok(text.includes(from));
    await writeFile(file, text.replace(from, to));
    return compareResults(file, reference);
  };

  it('lets scores differ by the tolerance and nothing else', async () => {
    assert.equal(await compareResults(reference, reference), 0);
    const difference = await compareChanged('0.33171818', '0.33172');
    assert.ok(difference > 1e-6 && difference < 2e-6, `${difference}`);
    await assert.rejects(compareChanged('0.33171818', '0.3318'), /exact_500_chunk_1F1 score1: 0.3318, expected/);
    await assert.rejects(compareChanged('0.33171818', 'nan'), /score1: nan/);
    await assert.rejects(compareChanged('exact_500_chunk_1F1\tvirus', 'exact_500_chunk_1F1\tothers'), /labels/);
    await assert.rejects(compareChanged('exact_500_chunk_1F1\tvirus\t0.33171818\t0.6682818\n', ''), /ids/);
    await assert.rejects(compareChanged('score1', 'score'), /score/);
  });
});
