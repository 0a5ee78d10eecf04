import assert from 'node:assert/strict';
import { checkpointName, modelFiles } from '../../../../src/model/checkpoint/file-names.js';

describe('the files of a model', () => {
  it('are the best checkpoint with its shards, and what is read beside it', () => {
    const shards = ['pytorch_model-00001-of-00002.bin', 'pytorch_model-00002-of-00002.bin'];
    const names = [
      ...['README.md', 'vocab.txt', 'tf_model.h5', 'config.json', 'special_tokens_map.json', 'training_args.bin'],
      ...['pytorch_model.bin.index.json', ...shards, 'other-00001-of-00002.bin', 'model-00001-of-00001.safetensors'],
    ];
    assert.equal(checkpointName(names), 'pytorch_model.bin.index.json');
    const wanted = ['config.json', 'vocab.txt', 'pytorch_model.bin.index.json', ...shards];
    assert.deepEqual(modelFiles(names, 'pytorch_model.bin.index.json'), wanted);
    assert.equal(checkpointName([...names, 'model.safetensors']), 'model.safetensors');
    assert.deepEqual(modelFiles([...names, 'model.safetensors'], 'model.safetensors'), [
      'config.json',
      'vocab.txt',
      'model.safetensors',
    ]);
  });

  it('of a checkpoint of another name, only if there is one', () => {
    assert.equal(checkpointName(['esm2_t36_3B_UR50D.pt', 'notes.txt']), 'esm2_t36_3B_UR50D.pt');
    assert.equal(checkpointName(['a.pt', 'b.pt']), undefined);
  });
});
