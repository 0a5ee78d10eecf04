import assert from 'node:assert/strict';
import { byteText } from '../../../src/io/figure-text.js';

describe('byteText', () => {
  it('has the unit that fits, and three digits', () => {
    const sizes = [0, 980, 1500, 31_400_000, 595_264_512, 11_354_000_000, 5e12];
    assert.deepEqual(sizes.map(byteText), ['0 bytes', '980 bytes', '1.5 kB', '31.4 MB', '595 MB', '11.4 GB', '5 TB']);
  });
});
