import assert from 'node:assert/strict';
import { ArtifactInvalid, InternalError } from '../../../src/contract/failures.js';
import { type Features, mergeFeatures } from '../../../src/scoring/merge-features.js';

describe('scoring/merge-features', () => {
  const ids = ['a_chunk_1F1', 'a_chunk_1R2', 'b_chunk_1F3'];
  const nucleotide: Features = { ids, vectors: Float32Array.of(1, 2, 3, 4, 5, 6), width: 2 };
  const protein: Features = { ids, vectors: Float32Array.of(10, 20, 30), width: 1 };
  const without = (features: Features, id: string): Features => {
    const kept = features.ids.map((one, i) => ({ one, i })).filter(({ one }) => one !== id);
    const vectors = kept.flatMap(({ i }) => [
      ...features.vectors.subarray(i * features.width, (i + 1) * features.width),
    ]);
    return { ids: kept.map(({ one }) => one), vectors: Float32Array.from(vectors), width: features.width };
  };

  it('puts the protein vector after the nucleotide vector, row by row', () => {
    const merged = mergeFeatures(ids, nucleotide, protein);
    assert.deepEqual(merged, { ids, vectors: Float32Array.of(1, 2, 10, 3, 4, 20, 5, 6, 30), width: 3 });
  });

  it('merges nothing into nothing of the right width', () => {
    const none = { ids: [], vectors: new Float32Array() };
    assert.deepEqual(mergeFeatures([], { ...none, width: 2 }, { ...none, width: 1 }), { ...none, width: 3 });
  });

  it('refuses sides in another order, with a frame missing, with one too many, naming the first difference', () => {
    const swapped = { ...protein, ids: [ids[1]!, ids[0]!, ids[2]!] };
    assert.throws(
      () => mergeFeatures(ids, nucleotide, swapped),
      (error) =>
        error instanceof ArtifactInvalid &&
        error.what ===
          'protein embeddings do not match the frames: frame 1 is a_chunk_1F1, its embedding is a_chunk_1R2',
    );
    const middle = without(nucleotide, ids[1]!);
    assert.throws(() => mergeFeatures(ids, middle, protein), /nucleotide .* frame 2 is a_chunk_1R2, .* b_chunk_1F3/);
    const tail = without(protein, ids[2]!);
    assert.throws(() => mergeFeatures(ids, nucleotide, tail), /protein .* frame 3 is b_chunk_1F3, .* missing/);
    assert.throws(() => mergeFeatures(ids.slice(0, 2), nucleotide, protein), /frame 3 is not there, .* b_chunk_1F3/);
    assert.throws(() => mergeFeatures(ids, { ...nucleotide, width: 3 }, protein), InternalError);
  });

  it('leaves quarantined frames out, whichever side has them, and shifts no other row', () => {
    const quarantined = new Set([ids[1]!]);
    const expected = { ids: [ids[0], ids[2]], vectors: Float32Array.of(1, 2, 10, 5, 6, 30), width: 3 };
    for (const left of [nucleotide, without(nucleotide, ids[1]!)]) {
      for (const right of [protein, without(protein, ids[1]!)]) {
        assert.deepEqual(mergeFeatures(ids, left, right, quarantined), expected);
      }
    }
  });
});
