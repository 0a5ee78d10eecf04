import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createDnaTokenizer } from '../../../src/sequence/tokenize-dna.js';
import { createProteinTokenizer, ESM2_VOCABULARY } from '../../../src/sequence/tokenize-protein.js';
import { goldenEmbeddings, MODELS } from '../../support/tiny-models.js';

describe('tokenizers', () => {
  it('give the ids of the reference for DNA', async () => {
    const json = JSON.parse(await readFile(`${MODELS}/dnabert2-tiny/tokenizer.json`, 'utf8')) as object;
    const tokenizer = createDnaTokenizer(json, {});
    assert.equal(tokenizer.size, 4096);
    for (const { sequence, input_ids } of await goldenEmbeddings('dnabert2')) {
      assert.deepEqual([...tokenizer.encode(sequence)], input_ids);
    }
  });

  it('give the ids of the reference for protein, with and without a vocab.txt', async () => {
    const vocabulary = (await readFile(`${MODELS}/esm2-tiny/vocab.txt`, 'utf8')).trimEnd().split('\n');
    assert.deepEqual(vocabulary, ESM2_VOCABULARY);
    for (const tokenizer of [createProteinTokenizer(vocabulary), createProteinTokenizer()]) {
      assert.equal(tokenizer.size, 33);
      for (const { sequence, input_ids } of await goldenEmbeddings('esm2')) {
        assert.deepEqual([...tokenizer.encode(sequence)], input_ids);
      }
    }
  });
});
