import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { asPrinted, fixedText, float32Text, float64Text } from '../../../src/io/number-text.js';

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

  it('rounds to fixed decimals, ties to the even digit as numpy', () => {
    const texts = [0.0625, 0.1875, -0.4375, 1 / 3, 0.9995, 1, 0].map((x) => fixedText(x, 3));
    assert.deepEqual(texts, ['0.062', '0.188', '-0.438', '0.333', '1.000', '1.000', '0.000']);
  });

  it('gives the double that a printed float32 reads back as', () => {
    assert.equal(asPrinted(Math.fround(0.1)), 0.1);
    assert.equal(asPrinted(Math.fround(0.33171833)), 0.33171833);
  });
});
