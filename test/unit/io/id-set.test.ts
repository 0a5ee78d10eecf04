import assert from 'node:assert/strict';
import { IdSet } from '../../../src/io/id-set.js';

describe('io/id-set', () => {
  it('knows every id it was given and no other', () => {
    const set = new IdSet();
    const id = (i: number): Buffer => Buffer.from(`contig_${i}`);
    for (let i = 0; i < 100_000; i++) assert.equal(set.add(id(i)), true);
    for (let i = 0; i < 100_000; i += 997) assert.equal(set.add(id(i)), false);
    assert.equal(set.add(Buffer.from('contig_100000')), true);
    assert.equal(set.add(Buffer.from('')), true);
    assert.equal(set.add(Buffer.from('')), false);
  });
});
