import assert from 'node:assert/strict';
import { OptionError } from '../../../src/contract/failures.js';
import { checkChunkSize, chunkSpans } from '../../../src/sequence/chunk.js';

const spans = (length: number, size: number): number[][] =>
  [...chunkSpans(length, size)].map(({ start, end }) => [start, end]);

describe('sequence/chunk', () => {
  it('cuts as the original tool does', () => {
    assert.deepEqual(spans(0, 500), []);
    assert.deepEqual(spans(1, 500), [[0, 1]]);
    assert.deepEqual(spans(500, 500), [[0, 500]]);
    assert.deepEqual(spans(501, 500), [
      [0, 500],
      [250, 501],
    ]);
    assert.deepEqual(spans(1001, 500), [
      [0, 500],
      [333, 833],
      [666, 1001],
    ]);
    assert.deepEqual(spans(2600, 500).at(-1), [2165, 2600]);
  });

  it('covers every contig: ceil(length / size) spans, whole but the last, without a gap, never nested', () => {
    for (const size of [3, 4, 7, 60, 300, 500]) {
      for (let length = 1; length <= 2100; length++) {
        const all = [...chunkSpans(length, size)];
        const last = all.at(-1)!;
        const at = `length ${length}, size ${size}`;
        assert.equal(all.length, Math.ceil(length / size), at);
        assert.equal(all[0]!.start, 0, at);
        assert.equal(last.end, length, at);
        assert.ok(last.end > last.start && last.end - last.start <= size, at);
        for (const [i, span] of all.slice(0, -1).entries()) {
          const next = all[i + 1]!;
          assert.equal(span.end - span.start, size, at);
          assert.ok(next.start > span.start && next.start <= span.end && next.end > span.end, at);
        }
      }
    }
  });

  it('counts exactly on contigs beyond 2^31 bases', () => {
    const length = 2 ** 32 - 1;
    const n = Math.ceil(length / 10_000);
    let count = 0;
    let last = { start: 0, end: 0 };
    for (const span of chunkSpans(length, 10_000)) {
      count += 1;
      last = span;
    }
    assert.equal(count, n);
    assert.deepEqual(last, { start: length - 10_000, end: length });
  });

  it('refuses sizes that are no windows', () => {
    for (const size of [0, -1, 2, 2.5, NaN, 10_001]) assert.throws(() => checkChunkSize(size), OptionError);
    checkChunkSize(3);
    checkChunkSize(10_000);
  });
});
