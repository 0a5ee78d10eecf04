import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Point, recommend } from '../../../src/cli/profile/recommend.js';
import { speedChart } from '../../../src/cli/profile/show.js';
import { type Prober, sweep } from '../../../src/cli/profile/sweep.js';
import { callCli } from '../../support/cli.js';
import { MODELS, temporaryFolder } from '../../support/tiny-models.js';

const point = (tokensPerCall: number, tokensPerSecond: number, secondsToCancel = 0.1): Point => ({
  tokensPerCall,
  tokensPerSecond,
  secondsPerCall: 2 * secondsToCancel,
  secondsToCancel,
  peakBytes: 1e9 + tokensPerCall,
});

describe('cli/profile', () => {
  it('recommends the smallest calls that are within 5 % of the fastest', () => {
    const points = [point(2048, 1000), point(512, 951), point(256, 949), point(1024, 990)];
    assert.equal(recommend(points).tokensPerCall, 512);
  });

  it('leaves out calls whose cancel waits more than 3 s, however fast; of slow ones only, it takes the smallest', () => {
    assert.equal(recommend([point(100, 50, 2), point(200, 60, 3), point(400, 90, 4.4)]).tokensPerCall, 200);
    assert.equal(recommend([point(400, 90, 8), point(200, 60, 5)]).tokensPerCall, 200);
  });

  it('draws tokens/s as bars from zero', () => {
    const points = [point(64, 500), point(128, 1000)];
    assert.equal(speedChart(points, points[1]!), ` 64 ${'█'.repeat(20)} 500\n128 ${'█'.repeat(40)} 1000 <`);
  });

  describe('sweep', () => {
    /** A device that takes a second for 100 tokens, and has the memory for 400. */
    const device = (asked: number[]): Prober =>
      ({
        hasEnoughFor: (tokens: number) => tokens <= 1000,
        measure: async (tokens: number) => {
          asked.push(tokens);
          return tokens > 400 ? undefined : point(tokens, 100, tokens / 100);
        },
      }) as unknown as Prober;
    const options = { rounds: 2, hasMemory: async () => true };

    it('goes through all sizes once a round', async () => {
      const asked: number[] = [];
      const found = await sweep(device(asked), { ...options, budgets: [100, 200] });
      assert.deepEqual(asked, [100, 200, 100, 200]);
      assert.deepEqual(found, { points: [point(100, 100, 1), point(200, 100, 2)] });
    });

    for (const [title, budgets, hasMemory, measured, stopped] of [
      ['memory, by the formula', [100, 200], 150, [100], 'calls of 200 tokens do not fit the memory'],
      ['memory, by trying', [300, 500], 1e9, [300], 'calls of 500 tokens do not fit the memory'],
      ['patience', [200, 400, 500], 1e9, [200, 400], 'a cancel would wait longer than 3 s for calls of 400 tokens'],
      ['sequences', [100, 1001], 1e9, [100], 'the sequences are too few for calls of 1001 tokens'],
    ] as const) {
      it(`ends where there is no more ${title}`, async () => {
        const fits = async (tokens: number): Promise<boolean> => tokens <= hasMemory;
        const found = await sweep(device([]), { ...options, budgets, hasMemory: fits });
        assert.deepEqual(
          found.points.map(({ tokensPerCall }) => tokensPerCall),
          measured,
        );
        assert.equal(found.stopped, stopped);
      });
    }
  });

  describe('the command', () => {
    const sizes = ['--min-batch', '168', '--max-batch', '504', '--step', '168', '--rounds', '1', '-t', '1'];

    it('prints table, chart and recommendation, and writes the JSON', async () => {
      const output = path.join(await temporaryFolder(), 'profile.json');
      const { code, stdout } = callCli(['profile', '-m', `${MODELS}/esm2-tiny`, ...sizes, '-o', output]);
      assert.equal(code, 0);
      const found = JSON.parse(await readFile(output, 'utf8')) as Record<string, unknown> & {
        points: { batch_size: number; tokens_per_second: number; seconds_per_call: number; peak_bytes: number }[];
      };
      assert.deepEqual(
        found.points.map(({ batch_size }) => batch_size),
        [168, 336, 504],
      );
      for (const { tokens_per_second, seconds_per_call, batch_size, peak_bytes } of found.points) {
        // Every frame has 166 residues or less, so a call holds no more tokens than its budget.
        assert.ok(tokens_per_second * seconds_per_call <= batch_size * 1.000001);
        assert.ok(peak_bytes > 20e6);
      }
      assert.deepEqual(
        [found['kind'], found['device'], found['max_batch_size'], found['threads'], found['rounds']],
        ['esm2', 'cpu', 504, 1, 1],
      );
      const { optimal_batch_size: best } = found;
      assert.match(stdout, /^TOKENS A CALL {2}TOKENS\/S {2}SECONDS A CALL {2}SECONDS TO CANCEL {2}PEAK MEMORY\n168 /);
      assert.match(stdout, new RegExp(`^${String(best)} █+ \\d+ <$`, 'm'));
      assert.match(
        stdout,
        new RegExp(`^Recommended: ${String(best)} tokens a call \\(.*--esm-batch-size ${String(best)}`, 'm'),
      );
    });

    it('takes sequences from a file, and refuses one without, sizes that are none, and devices that are not there', async () => {
      const folder = await temporaryFolder();
      const [some, none] = [path.join(folder, 'some.fa'), path.join(folder, 'none.fa')];
      await writeFile(some, '>a\nACGTACGTAC\n>b\nGGGTTTACCA\n');
      await writeFile(none, '');
      const profile = (...args: string[]): ReturnType<typeof callCli> =>
        callCli(['profile', '-m', `${MODELS}/dnabert2-tiny`, '--rounds', '1', ...args]);
      const { stdout } = profile('--test-file', some, '--json');
      const { stopped, points } = JSON.parse(stdout) as { stopped: string; points: unknown[] };
      assert.ok(points.length >= 1);
      assert.match(stopped, /^the sequences are too few for calls of \d+ tokens$/);
      assert.equal(profile('--test-file', none).code, 2);
      assert.match(profile('--min-batch', '9', '--max-batch', '8').stderr, /--min-batch is 9, --max-batch 8/);
      assert.equal(profile('-d', 'cuda:7').code, 1);
    });
  });
});
