import assert from 'node:assert/strict';
import { fixedText } from '../../../src/io/number-text.js';
import { type ScoredChunk, callContig, chunksByContig } from '../../../src/scoring/contig-call.js';
import { goldenChunkCalls } from '../../support/golden-scores.js';

/** `count` chunks with the same scores. */
function chunks(count: number, pVirus: number, pOther: number): ScoredChunk[] {
  return Array.from({ length: count }, (_, i) => ({ number: i + 1, pVirus, pOther, isVirus: pVirus >= pOther }));
}

describe('scoring/contig-call', () => {
  // Computed with pandas from the golden highest-score tables: call, tier, weighted_delta, n_chunks,
  // n_confident_viral, n_confident_nonviral, n_ambiguous, viral_proportion, nonviral_proportion.
  const golden: Record<string, Record<string, string>> = {
    'edge-500': {
      exact_1000: 'Ambiguous review 0.006 2 0 0 0 0.000 0.000',
      exact_500: 'Viral review 0.397 1 0 0 0 0.000 0.000',
      len_501: 'Ambiguous review -0.274 2 0 0 1 0.000 0.000',
      long_orf: 'Ambiguous review -0.246 8 0 0 0 0.000 0.000',
      lower_case: 'Non-viral review -0.410 2 0 0 0 0.000 0.000',
      mixed_Ns: 'Ambiguous review 0.106 1 0 0 0 0.000 0.000',
      short_5: 'Viral low_confidence 0.974 1 1 0 0 1.000 0.000',
      short_6: 'Viral low_confidence 0.784 1 1 0 0 1.000 0.000',
      stop_rich: 'Viral low_confidence 0.782 2 2 0 0 1.000 0.000',
      uracil: 'Non-viral review -0.453 1 0 0 0 0.000 0.000',
    },
    'lambda-500': { 'NC_001416.1': 'Ambiguous review 0.156 36 3 0 0 0.083 0.000' },
    'mixed-300': {
      ecoli_slice: 'Viral low_confidence 0.327 15 1 0 0 0.067 0.000',
      phiX174: 'Ambiguous review 0.173 11 2 0 1 0.200 0.000',
    },
  };
  for (const [name, expected] of Object.entries(golden)) {
    it(`calls the contigs of ${name} as the production formula in pandas does`, async () => {
      const contigs = chunksByContig(await goldenChunkCalls(name));
      const found = [...contigs].map(([contig, scored]) => {
        const call = callContig(scored);
        const { tier, confidentViral, confidentOther, ambiguous } = call;
        const numbers = [call.weightedDelta, call.viralProportion, call.otherProportion].map((x) => fixedText(x, 3));
        const counts = [call.chunksCalled, confidentViral, confidentOther, ambiguous];
        return [contig, [call.call, tier, numbers[0], ...counts, numbers[1], numbers[2]].join(' ')];
      });
      assert.deepEqual(Object.fromEntries(found), expected);
    });
  }

  const cases: [string, ScoredChunk[], string, string][] = [
    ['all confident, five chunks', chunks(5, 0.95, 0.1), 'Viral', 'high_confidence'],
    ['the same with four', chunks(4, 0.95, 0.1), 'Viral', 'low_confidence'],
    ['confident but close', [...chunks(5, 0.85, 0.28), ...chunks(5, 0.6, 0.2)], 'Viral', 'moderate_confidence'],
    ['no confident chunk', chunks(5, 0.79, 0.1), 'Viral', 'low_confidence'],
    ['no confident chunk, four', chunks(4, 0.79, 0.1), 'Viral', 'review'],
    ['one confident chunk of eleven', [...chunks(1, 0.9, 0.1), ...chunks(10, 0.75, 0.29)], 'Viral', 'low_confidence'],
    ['one confident chunk of ten', [...chunks(1, 0.9, 0.1), ...chunks(9, 0.75, 0.29)], 'Viral', 'moderate_confidence'],
    ['not viral', chunks(5, 0.05, 0.95), 'Non-viral', 'high_confidence'],
    ['not viral, close', chunks(5, 0.29, 0.81), 'Non-viral', 'moderate_confidence'],
    ['a delta of exactly 0.5 less 0.2', chunks(6, 0.5, 0.2), 'Ambiguous', 'review'],
    ['frames disagree', chunks(6, 0.9, 0.9), 'Ambiguous', 'review'],
    ['nothing was called', [], 'Unclassified', ''],
  ];
  for (const [what, scored, call, tier] of cases) {
    it(`${what}: ${call} ${tier}`, () => {
      const found = callContig(scored);
      assert.deepEqual([found.call, found.tier], [call, tier]);
    });
  }

  it('leaves ambiguous chunks out of the proportions', () => {
    const call = callContig([...chunks(1, 0.9, 0.1), ...chunks(2, 0.9, 0.8), ...chunks(1, 0.6, 0.5)]);
    assert.deepEqual([call.ambiguous, call.viralProportion], [2, 0.5]);
  });

  it('keeps contigs apart whose ids hold _chunk_, and orders chunks by number', () => {
    const ids = ['a_chunk_1_chunk_1', 'a_chunk_10', 'a_chunk_2'];
    const contigs = chunksByContig(ids.map((id) => ({ id, maxScore1: 0.25, maxScore2: 0.75, frames: 1 })));
    assert.deepEqual(
      [...contigs].map(([contig, scored]) => [contig, scored.map(({ number }) => number)]),
      [
        ['a_chunk_1', [1]],
        ['a', [2, 10]],
      ],
    );
  });

  it('takes a tie of scores for a virus, as the highest-score table does', () => {
    const contigs = chunksByContig([{ id: 'a_chunk_1', maxScore1: 0.5, maxScore2: 0.5, frames: 1 }]);
    const call = callContig(contigs.get('a')!);
    assert.deepEqual([call.chunksViral, call.call, call.weightedDelta], [1, 'Ambiguous', 0]);
  });
});
