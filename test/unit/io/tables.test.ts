import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InternalError } from '../../../src/contract/failures.js';
import { writeAccounting, writeConsensus, writePredictions, writeText } from '../../../src/io/tables.js';
import { type Prediction, labelOf } from '../../../src/scoring/classify.js';
import { Consensus } from '../../../src/scoring/consensus.js';
import { readTable } from '../../support/compare-results.js';

describe('io/tables', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-tables-'))));
  after(() => rm(dir, { recursive: true }));

  for (const name of ['edge-500', 'lambda-500', 'mixed-300']) {
    it(`writes the golden tables of ${name} byte for byte from their scores`, async () => {
      const golden = (file: string): string => path.join('test/fixtures/golden/cases', name, file);
      const { rows } = await readTable(golden('prediction_results.txt'));
      const predictions = rows.map(([id, , text1, text2]): Prediction => {
        const [score1, score2] = [Math.fround(Number(text1)), Math.fround(Number(text2))];
        return { id: id!, label: labelOf(score1, score2), score1, score2 };
      });
      const consensus = new Consensus();
      predictions.forEach((prediction) => consensus.add(prediction));

      const frames = await writePredictions(path.join(dir, name, 'frames.txt'), predictions);
      const chunks = await writeConsensus(path.join(dir, name, 'chunks.csv'), consensus.sorted());

      assert.equal(await readFile(frames.path, 'utf8'), await readFile(golden('prediction_results.txt'), 'utf8'));
      const highest = await readFile(golden('prediction_results_highestscore.csv'), 'utf8');
      assert.equal(await readFile(chunks.path, 'utf8'), highest);
    });
  }

  it('writes only a header when there is nothing', async () => {
    const file = path.join(dir, 'empty');
    await writePredictions(file, []);
    assert.equal(await readFile(file, 'utf8'), 'Sequence_ID\tPrediction\tscore1\tscore2\n');
    await writeConsensus(file, []);
    assert.equal(await readFile(file, 'utf8'), 'Modified_ID\tIs_Virus\tmax_score_0\tmax_score_1\n');
    await writeAccounting(file, []);
    assert.equal(
      await readFile(file, 'utf8'),
      'contig\tlength\tstatus\treason\tchunks\tchunks_called\tchunks_no_open_frame\tframes\tframes_called\tframes_quarantined\n',
    );
  });

  it('keeps odd ids: as they are in prediction_results, quoted as pandas in highestscore', async () => {
    const odd = ['a"b', "c'd,e", 'ü|😀', '=1+1', '"q"'];
    const score = Math.fround(1e-4);
    const predictions = odd.map((id) => ({ id: `${id}_chunk_1F1`, label: 'virus', score1: score, score2: 1 }) as const);
    const file = path.join(dir, 'odd');
    await writePredictions(file, predictions);
    const plain = odd.map((id) => `${id}_chunk_1F1\tvirus\t1e-04\t1.0\n`);
    assert.equal(await readFile(file, 'utf8'), ['Sequence_ID\tPrediction\tscore1\tscore2\n', ...plain].join(''));
    await writeConsensus(
      file,
      odd.map((id) => ({ id: `${id}_chunk_1`, maxScore1: score, maxScore2: 1, frames: 1 })),
    );
    const text = await readFile(file, 'utf8');
    assert.match(text, /^"a""b_chunk_1"\tTrue\t0\.0001\t1\.0$/m);
    assert.match(text, /^"""q""_chunk_1"\tTrue/m);
    assert.deepEqual(
      (await readTable(file)).rows.map(([id]) => id),
      odd.map((id) => `${id}_chunk_1`),
    );
  });

  it('refuses an id that would shift the table, and leaves nothing behind', async () => {
    const folder = path.join(dir, 'refused');
    for (const id of ['a\tb', 'a\nb', 'a\rb']) {
      const row = { id, label: 'virus', score1: 0, score2: 1 } as const;
      await assert.rejects(writePredictions(path.join(folder, 'table'), [row]), InternalError);
    }
    assert.deepEqual(await readdir(folder), []);
  });

  it('streams many rows and reports size and digest', async () => {
    const lines = Array.from({ length: 30_000 }, (_, i) => `line ${i} é\n`);
    const written = await writeText(path.join(dir, 'long'), lines);
    const bytes = await readFile(written.path);
    assert.equal(bytes.toString('utf8'), lines.join(''));
    assert.equal(written.bytes, bytes.length);
    assert.equal(written.sha256, createHash('sha256').update(bytes).digest('hex'));
  });
});
