import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { readDnaRules } from '../../../src/sequence/dna-rules.js';
import { createDnaTokenizer, createLibraryTokenizer } from '../../../src/sequence/tokenize-dna.js';
import { createProteinTokenizer, ESM2_VOCABULARY } from '../../../src/sequence/tokenize-protein.js';
import { randomSequences } from '../../support/random-sequences.js';
import { goldenEmbeddings, MODELS } from '../../support/tiny-models.js';

interface TokenizerJson {
  [field: string]: unknown;
  model: { merges: string[]; vocab: Record<string, number>; [field: string]: unknown };
}

const readDnabert2Json = async (): Promise<TokenizerJson> =>
  JSON.parse(await readFile(`${MODELS}/dnabert2-tiny/tokenizer.json`, 'utf8')) as TokenizerJson;

describe('tokenizers', () => {
  it('give the ids of the reference for DNA', async () => {
    const tokenizer = createDnaTokenizer(await readDnabert2Json(), {});
    assert.equal(tokenizer.size, 4096);
    for (const { sequence, input_ids } of await goldenEmbeddings('dnabert2')) {
      assert.deepEqual([...tokenizer.encode(sequence)], input_ids);
    }
  });

  it('give the ids of the library for any DNA', async () => {
    const json = await readDnabert2Json();
    assert.notEqual(readDnaRules(json, {}), undefined);
    const [own, library] = [createDnaTokenizer(json, {}), createLibraryTokenizer(json, {})];
    assert.equal(own.size, library.size);
    const odd = ['', 'A', 'N', '-', '*A-*', 'acgt', 'A'.repeat(3000), 'AC'.repeat(1500), 'CAG'.repeat(700)];
    const foreign = ['AC GT', ' ', 'A[UNK]C', '[CLS]', 'ACGT_9', 'ÄCGT', 'AC\u{1F9EC}GT', '\n'];
    for (const sequence of [...odd, ...foreign, ...randomSequences(4000, 120), ...randomSequences(20, 5000)]) {
      assert.deepEqual(own.encode(sequence), library.encode(sequence), JSON.stringify(sequence));
    }
  });

  it('leave a tokenizer.json of other rules to the library', async () => {
    const json = await readDnabert2Json();
    const { model } = json;
    const others: Record<string, { json?: object; config?: object }> = {
      lowercasing: { json: { ...json, normalizer: { type: 'Lowercase' } } },
      'another pre-tokenizer': { json: { ...json, pre_tokenizer: { type: 'WhitespaceSplit' } } },
      'no template': { json: { ...json, post_processor: null } },
      'a field of a later version': { json: { ...json, model: { ...model, merge_twice: true } } },
      'fused unknowns': { json: { ...json, model: { ...model, fuse_unk: true } } },
      'whole words first': { json: { ...json, model: { ...model, ignore_merges: true } } },
      'an unknown token that is a letter': { json: { ...json, model: { ...model, unk_token: 'A' } } },
      'an added token of letters': {
        json: { ...json, added_tokens: [...(json.added_tokens as object[]), { id: 4096, content: 'ACG' }] },
      },
      'merges out of order': { json: { ...json, model: { ...model, merges: [...model.merges].reverse() } } },
      'two ways to one token': { json: { ...json, model: { ...model, merges: ['A A', 'AA A', 'A AA'] } } },
      'a merge into no token': { json: { ...json, model: { ...model, merges: ['A A', 'C N'] } } },
      'a merge of what is no letter': {
        json: { ...json, model: { ...model, vocab: { ...model.vocab, '-': 4096, 'A-': 4097 }, merges: ['A -'] } },
      },
      'accents removed': { config: { do_lowercase_and_remove_accent: true } },
    };
    for (const [name, { json: otherJson = json, config = {} }] of Object.entries(others)) {
      assert.equal(readDnaRules(otherJson, config), undefined, name);
      const [own, library] = [createDnaTokenizer(otherJson, config), createLibraryTokenizer(otherJson, config)];
      assert.deepEqual(own.encode('ACGNNTTAaA-A'), library.encode('ACGNNTTAaA-A'), name);
    }
  });

  it('take merges as pairs, other letters, and any template', async () => {
    const json = await readDnabert2Json();
    const { model } = json;
    const special = (id: string): object => ({ SpecialToken: { id, type_id: 0 } });
    const sequence = { Sequence: { id: 'A', type_id: 0 } };
    const post_processor = {
      ...(json.post_processor as object),
      single: [sequence, special('[SEP]'), special('[CLS]')],
    };
    const merges = [...model.merges.map((merge) => merge.split(' ')), ['N', 'N'], ['n', 'A']];
    const vocab = { ...model.vocab, N: 4096, NN: 4097, n: 4098, nA: 4099, '*': 4100 };
    const other = { ...json, post_processor, model: { ...model, vocab, merges } };
    assert.notEqual(readDnaRules(other, {}), undefined);
    const [own, library] = [createDnaTokenizer(other, {}), createLibraryTokenizer(other, {})];
    assert.equal(own.size, 4101);
    assert.deepEqual([...own.encode('NNNACnA*')], [4097, 4096, model.vocab.A, model.vocab.C, 4099, 4100, 2, 1]);
    for (const text of randomSequences(300, 100)) assert.deepEqual(own.encode(text), library.encode(text), text);
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
