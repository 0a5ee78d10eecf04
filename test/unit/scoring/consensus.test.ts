import assert from 'node:assert/strict';
import { type ChunkCall, Consensus, compareCodePoints, isVirus } from '../../../src/scoring/consensus.js';

describe('scoring/consensus', () => {
  const consensusOf = (...scores: [id: string, score1: number, score2: number][]): ChunkCall[] => {
    const consensus = new Consensus();
    for (const [id, score1, score2] of scores) consensus.add({ id, label: 'others', score1, score2 });
    return consensus.sorted();
  };

  it('takes the highest of each score over a chunk, whichever frames they come from', () => {
    assert.deepEqual(consensusOf(['b_chunk_1F1', 0.75, 0.25], ['b_chunk_1R3', 0.4, 0.6], ['b_chunk_2F1', 0.1, 0.9]), [
      { id: 'b_chunk_1', maxScore1: 0.75, maxScore2: 0.6, frames: 2 },
      { id: 'b_chunk_2', maxScore1: 0.1, maxScore2: 0.9, frames: 1 },
    ]);
  });

  it('calls a tie a virus', () => {
    const call = { id: 'c', maxScore1: 0.5, maxScore2: 0.5, frames: 1 };
    assert.equal(isVirus(call), true);
    assert.equal(isVirus({ ...call, maxScore1: Math.fround(0.50000006) }), false);
  });

  it('sorts by code point: digits as text, capitals first, astral characters after the whole first plane', () => {
    const sorted = ['Z_chunk_1', 'a_chunk_1', 'a_chunk_10', 'a_chunk_2', 'a_chunk_21', 'é', '\uffee', '𝛼', '𝛽', '😀'];
    const shuffled = sorted.map((id, i) => ({ id, key: (i * 7) % sorted.length })).sort((a, b) => a.key - b.key);
    assert.deepEqual(
      consensusOf(...shuffled.map(({ id }): [string, number, number] => [`${id}F1`, 1, 0])).map(({ id }) => id),
      sorted,
    );
    assert.equal(compareCodePoints('ab', 'ab'), 0);
    assert.ok('\uffee' > '😀', 'plain comparison is by UTF-16 units');
  });
});
