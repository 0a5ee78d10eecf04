import assert from 'node:assert/strict';
import path from 'node:path';
import { ArtifactInvalid } from '../../../src/contract/failures.js';
import { readEmbeddings, writeEmbeddings } from '../../../src/io/embeddings-file.js';
import { temporaryFolder } from '../../support/tiny-models.js';

describe('embeddings file', () => {
  it('gives back ids and vectors, and knows what made it', async () => {
    const file = path.join(await temporaryFolder(), 'e.arrow');
    const embeddings = {
      ids: ['aF1', 'aR3'],
      vectors: Float32Array.of(1, 2, 3, -4, 5e-40, 6),
      width: 3,
      quarantined: [],
    };
    assert.equal(await writeEmbeddings(file, 'digest', embeddings), 2);
    assert.deepEqual(await readEmbeddings(file, 'digest'), embeddings);
    assert.deepEqual(await readEmbeddings(file), embeddings);
    await assert.rejects(readEmbeddings(file, 'another'), ArtifactInvalid);
  });

  it('holds no row at all', async () => {
    const file = path.join(await temporaryFolder(), 'e.arrow');
    await writeEmbeddings(file, 'digest', { ids: [], vectors: new Float32Array(0), width: 96 });
    assert.deepEqual(await readEmbeddings(file), { ids: [], vectors: new Float32Array(0), width: 96, quarantined: [] });
  });
});
