import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Tally, differentRows } from '../../../src/cli/compare/compare-rows.js';
import { findResults } from '../../../src/cli/compare/find-results.js';
import type { ScoreRow } from '../../../src/cli/compare/score-tables.js';
import { campaignTable } from '../../../src/io/campaign-table.js';
import { callCli } from '../../support/cli.js';
import { GOLDEN_CASES } from '../../support/golden.js';

const FRAMES = 'prediction_results.txt';
const CHUNKS = 'prediction_results_highestscore.csv';

const FRAMES_HEADER = 'Sequence_ID\tPrediction\tscore1\tscore2\n';
const CHUNKS_HEADER = 'Modified_ID\tIs_Virus\tmax_score_0\tmax_score_1\n';

describe('cli/compare', () => {
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-compare-'))));
  afterEach(() => rm(dir, { recursive: true }));

  const compare = (...args: string[]): ReturnType<typeof callCli> => callCli(['compare', ...args], dir);

  /** Puts a sample's two tables into `<folder>/<stem>_merged`. */
  const sample = async (folder: string, stem: string, frames: string, chunks: string): Promise<void> => {
    const merged = path.join(dir, folder, `${stem}_merged`);
    await mkdir(merged, { recursive: true });
    await writeFile(path.join(merged, FRAMES), frames);
    await writeFile(path.join(merged, CHUNKS), chunks);
  };

  /** A golden case as a run's folder. */
  const golden = async (folder: string, name: string): Promise<string> => {
    const merged = path.join(dir, folder, `${name}_merged`);
    await mkdir(merged, { recursive: true });
    for (const file of [FRAMES, CHUNKS]) await cp(path.join(GOLDEN_CASES, name, file), path.join(merged, file));
    return merged;
  };

  const twoFrames = `${FRAMES_HEADER}a_chunk_1F1\tvirus\t0.25\t0.75\na_chunk_1R2\tothers\t0.625\t0.375\n` as const;
  const oneChunk = `${CHUNKS_HEADER}a_chunk_1\tTrue\t0.625\t0.75\n` as const;

  it('finds a run the same as itself, exit code 0', async () => {
    await golden('A', 'edge-500');
    await golden('B', 'edge-500');
    assert.deepEqual(compare('A', 'B'), {
      code: 0,
      stdout: `A  A
B  B
        in both  only in A  only in B  label changes  over 0.00001  max difference  mean difference
frames       57          0          0              0             0               0                0
chunks       21          0          0              0             0               0                0
The same: all rows and labels, scores within 0.00001
`,
      stderr: '',
    });
  });

  it('counts what differs, exit code 1, and writes those rows', async () => {
    await sample('A', 'x', `${twoFrames}b_chunk_1F1\tothers\t0.5\t0.5\n`, oneChunk);
    await sample(
      'B',
      'x',
      `${FRAMES_HEADER}c,_chunk_1F1\tothers\t0.75\t0.25\na_chunk_1F1\tothers\t0.5\t0.5\na_chunk_1R2\tothers\t0.625\t0.3750001\n`,
      oneChunk.replace('0.75', '0.8125'),
    );
    const { code, stdout: out } = compare('A', 'B', '--csv', 'rows.csv', '--json');
    assert.equal(code, 1);
    const chunks = { rowsInBoth: 1, rowsOnlyInA: 0, rowsOnlyInB: 0, labelChanges: 0, rowsWithScores: 1 };
    const frames = {
      rowsInBoth: 2,
      rowsOnlyInA: 1,
      rowsOnlyInB: 1,
      labelChanges: 1,
      rowsWithScores: 2,
      scoresApart: 1,
    };
    const result = JSON.parse(out) as { samples: unknown[]; frames: Record<string, number> };
    const { maxDifference, meanDifference, ...counted } = result.frames;
    assert.deepEqual(counted, frames);
    assert.equal(maxDifference, 0.25);
    assert.ok(Math.abs(meanDifference! - (0.25 + 1e-7) / 2) < 1e-15);
    assert.deepEqual(result, {
      same: false,
      tolerance: 1e-5,
      a: 'A',
      b: 'B',
      frames: result.frames,
      chunks: { ...chunks, scoresApart: 1, maxDifference: 0.0625, meanDifference: 0.0625 },
      samples: [
        {
          sample: 'x',
          frames: result.frames,
          chunks: { ...chunks, scoresApart: 1, maxDifference: 0.0625, meanDifference: 0.0625 },
        },
      ],
      samplesOnlyInA: [],
      samplesOnlyInB: [],
    });
    assert.equal(
      await readFile(path.join(dir, 'rows.csv'), 'utf8'),
      'sample,table,id,difference,label_a,label_b,p_other_a,p_other_b,p_virus_a,p_virus_b\n' +
        'x,frames,a_chunk_1F1,label,virus,others,0.25,0.5,0.75,0.5\n' +
        'x,frames,b_chunk_1F1,only_in_a,others,,0.5,,0.5,\n' +
        'x,frames,"c,_chunk_1F1",only_in_b,,others,,0.75,,0.25\n' +
        'x,chunks,a_chunk_1,score,True,True,0.625,0.625,0.75,0.8125\n',
    );
  });

  it('takes scores within --tolerance for the same, 0 for exactly', async () => {
    await sample('A', 'x', twoFrames, oneChunk);
    await sample('B', 'x', twoFrames.replace('0.375', '0.37500763'), oneChunk);
    assert.equal(compare('A', 'B').code, 0);
    assert.equal(compare('A', 'B', '--tolerance', '1e-6').code, 1);
    assert.equal(compare('A', 'B', '--tolerance', '0').code, 1);
    const { code, stderr: err } = compare('A', 'B', '--tolerance', 'some');
    assert.deepEqual([code, err.split('\n')[0]], [2, 'error: --tolerance is "some", allowed are numbers from 0 to 1']);
  });

  it('pairs the samples of campaigns by name, and names those that are in one only', async () => {
    for (const run of ['A', 'B']) {
      await sample(`${run}/s1`, 'reads', twoFrames, oneChunk);
      await sample(`${run}/s2`, 'reads', twoFrames, oneChunk);
    }
    assert.equal(compare('A', 'B').code, 0);
    await sample('A/s2', 'reads', twoFrames.replace('virus', 'others'), oneChunk);
    await sample('B/s3', 'reads', twoFrames, oneChunk);
    assert.deepEqual(compare('A', 'B'), {
      code: 1,
      stdout: `A  A
B  B
            in both  only in A  only in B  label changes  over 0.00001  max difference  mean difference
s2 frames         2          0          0              1             0               0                0
s2 chunks         1          0          0              0             0               0                0
all frames        4          0          0              1             0               0                0
all chunks        2          0          0              0             0               0                0
Samples only in B: s3
Different
`,
      stderr: '',
    });
  });

  it('pairs two single samples whatever their names, also as their _merged folders', async () => {
    const merged = await golden('A', 'lambda-500');
    await golden('B', 'lambda-500');
    await cp(merged, path.join(dir, 'C', 'renamed_merged'), { recursive: true });
    assert.equal(compare('A', 'C').code, 0);
    assert.equal(compare('A/lambda-500_merged', 'C').code, 0);
  });

  it("reads the original's chunks without scores, and its empty table; says that no scores were compared", async () => {
    await sample('A', 'x', twoFrames, oneChunk);
    await sample('O', 'x', twoFrames, 'Modified_ID\tIs_Virus\na_chunk_1\tTrue\n');
    const { code, stdout: out } = compare('A', 'O');
    assert.equal(code, 0);
    assert.match(out, /^chunks +1 +0 +0 +0 +- +- +-$/m);
    await sample('E', 'x', FRAMES_HEADER, '');
    await sample('F', 'x', FRAMES_HEADER, CHUNKS_HEADER);
    assert.equal(compare('E', 'F').code, 0);
    assert.equal(compare('A', 'E').code, 1);
  });

  it('exits 2 with two lines when it cannot compare', async () => {
    await sample('A', 'x', twoFrames, oneChunk);
    await sample('A2/s1', 'x', twoFrames, oneChunk);
    await sample('A2/s2', 'x', twoFrames, oneChunk);
    await mkdir(path.join(dir, 'none'));
    await sample('broken', 'x', `${twoFrames}b_chunk_1F1\tvirus\t\t0.5\n`, oneChunk);
    await sample('other', 'x', 'name\tscore\na\t1\n', oneChunk);
    await sample('half', 'x', twoFrames, oneChunk);
    await rm(path.join(dir, 'half', 'x_merged', CHUNKS));
    for (const [folder, said] of [
      ['gone', /^error: gone: no such folder\nCheck the path\n$/],
      ['none', /^error: none: no results here: /],
      ['A2', /^error: no sample in common: x in A; s1, s2 in A2\n/],
      [
        'broken',
        /^error: broken\/x_merged\/prediction_results\.txt, line 4: a cell is missing, or a score is no number\n/,
      ],
      ['other', /^error: other\/x_merged\/prediction_results\.txt, line 1: its columns are name, score\n/],
      ['half', /^error: half\/x_merged\/prediction_results_highestscore\.csv: no such file\n/],
    ] as const) {
      const { code, stdout: out, stderr: err } = compare('A', folder, '--csv', 'rows.csv');
      assert.deepEqual([code, out], [2, ''], folder);
      assert.match(err, said);
    }
    assert.equal((await readdir(dir)).includes('rows.csv'), false);
    assert.equal(compare('A').code, 2);
  });

  it('exits 2 for a table that cannot be read', async () => {
    await sample('A', 'x', twoFrames, oneChunk);
    await rm(path.join(dir, 'A', 'x_merged', CHUNKS));
    await mkdir(path.join(dir, 'A', 'x_merged', CHUNKS));
    const { code, stderr: err } = compare('A', 'A');
    assert.equal(code, 2);
    assert.match(err, /^error: A\/x_merged\/prediction_results_highestscore\.csv: a folder, not a file\n/);
  });

  it('finds every sample of a folder in which the original left its results beside its inputs', async () => {
    await sample('O', 'b', twoFrames, oneChunk);
    await sample('O', 'a', twoFrames, oneChunk);
    await mkdir(path.join(dir, 'O', 'unfinished_merged'));
    const folder = path.join(dir, 'O');
    const expected = ['a', 'b'].map((stem) => [stem, path.join(folder, `${stem}_merged`)]);
    assert.deepEqual([...(await findResults(folder))], expected);
  });

  it('counts only what campaign.tsv calls done: what an earlier run left is not compared', async () => {
    await sample('A/old', 'x', twoFrames, oneChunk);
    await sample('A/s1', 'x', twoFrames, oneChunk);
    await sample('A/s2', 'x', twoFrames, oneChunk);
    const failure = { type: 'InputError', what: 'bad', next: '' };
    const ended = campaignTable([
      { sample: 's1', status: 'done' },
      { sample: 's2', status: 'failed', failure },
    ]);
    await writeFile(path.join(dir, 'A', 'campaign.tsv'), ended);
    assert.deepEqual([...(await findResults(path.join(dir, 'A')))], [['s1', path.join(dir, 'A', 's1', 'x_merged')]]);
  });
});

describe('rows that are paired by id', () => {
  const row = (id: string, virus = 0.5): ScoreRow => ({ id, label: 'virus', scores: [1 - virus, virus] });
  async function* table(...rows: ScoreRow[]): AsyncGenerator<ScoreRow> {
    yield* rows;
  }
  const idsOf = (letters: string): ScoreRow[] => [...letters].map((id) => row(id));
  const differ = async (a: ScoreRow[], b: ScoreRow[]): Promise<[string[], Tally]> => {
    const tally = new Tally();
    const ids: string[] = [];
    for await (const { id } of differentRows(table(...a), table(...b), 0, tally)) ids.push(id);
    return [ids, tally];
  };

  it('may come in any order, with rows missing on both sides', async () => {
    for (const [a, b, onlyInA, onlyInB] of [
      ['abcd', 'dcba', '', ''],
      ['abcde', 'bde', 'ac', ''],
      ['bde', 'abcde', '', 'ac'],
      ['abc', 'xyz', 'abc', 'xyz'],
      ['', 'ab', '', 'ab'],
      ['aab', 'aab', '', ''],
    ] as const) {
      const [ids, tally] = await differ(idsOf(a), idsOf(b));
      assert.deepEqual(ids, [...onlyInA, ...onlyInB], `${a} ${b}`);
      assert.deepEqual(
        [tally.rowsInBoth, tally.rowsOnlyInA, tally.rowsOnlyInB],
        [a.length - onlyInA.length, onlyInA.length, onlyInB.length],
      );
    }
  });

  it('differ by the larger of their two scores', async () => {
    const b = { id: 'a', label: 'virus', scores: [0.25, 0.625] as const };
    const [ids, tally] = await differ([row('a')], [b]);
    assert.deepEqual([ids, tally.maxDifference, tally.scoresApart], [['a'], 0.25, 1]);
  });

  it('are refused when an id stands twice and cannot be told from its namesake', async () => {
    await assert.rejects(differ(idsOf('aa'), idsOf('xyaa')), { name: 'InputError', what: /^the id a stands twice/ });
  });
});
