import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { float32Text, float64Text } from '../../../src/io/number-text.js';

describe('io/number-text', () => {
  it('prints every float32 of the table as numpy, and its text as pandas', async () => {
    // Made with numpy 2.4 and pandas 3.0: bits of a float32, str(np.float32), that text through read_csv and to_csv.
    const [, ...lines] = (await readFile('test/fixtures/float32-text.tsv', 'utf8')).trimEnd().split('\n');
    assert.equal(lines.length, 205);
    for (const line of lines) {
      const [bits, numpy, pandas] = line.split('\t') as [string, string, string];
      const x = new Float32Array(Uint32Array.of(Number.parseInt(bits, 16)).buffer)[0]!;
      assert.equal(float32Text(x), numpy, bits);
      assert.equal(float64Text(Number(numpy)), pandas, bits);
    }
  });

  it('switches to scientific where they do', () => {
    assert.equal(float32Text(Math.fround(1e-4)), '1e-04', 'the float32 next to 1e-4 is below it');
    assert.equal(float64Text(1e-4), '0.0001');
    assert.equal(float64Text(1.5e-5), '1.5e-05');
    assert.equal(float64Text(1e-100), '1e-100');
  });
});
