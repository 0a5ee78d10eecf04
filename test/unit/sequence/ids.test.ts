import assert from 'node:assert/strict';
import { InternalError } from '../../../src/contract/failures.js';
import { chunkId, chunkOfFrame, contigOfChunk } from '../../../src/sequence/ids.js';

describe('sequence/ids', () => {
  it('finds the contig of a frame, whatever its own id holds', () => {
    for (const contig of ['a', 'a_chunk_3', '_chunk_1_chunk_', '', '𝛼|"F1"']) {
      assert.equal(contigOfChunk(chunkOfFrame(`${chunkId(contig, 12)}R1`)), contig);
    }
    assert.throws(() => contigOfChunk('contig_1'), InternalError);
  });
});
