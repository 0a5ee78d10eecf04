import assert from 'node:assert/strict';
import { countOpenFrames, translateChunk } from '../../../src/sequence/translate.js';

const frames = (text: string): string[] =>
  translateChunk(Buffer.from(text)).map(({ name, nucleotide, protein }) => `${name} ${nucleotide} ${protein}`);

describe('sequence/translate', () => {
  it('keeps open frames only, with one base more than the codons where there is one', () => {
    assert.deepEqual(frames('ATGAA'), ['F1 ATGA M', 'F3 GAA E', 'R1 TTCA F', 'R2 TCAT S', 'R3 CAT H']);
  });

  it('knows the standard code', () => {
    const bases = ['T', 'C', 'A', 'G'];
    const codons = bases.flatMap((a) => bases.flatMap((b) => bases.map((c) => a + b + c)));
    const code = codons
      .map((codon) => translateChunk(Buffer.from(codon))[0])
      .map((frame, i) => {
        return frame?.name === 'F1' ? (assert.equal(frame.nucleotide, codons[i]), frame.protein) : '*';
      });
    assert.equal(code.join(''), 'FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG');
  });

  it('drops codons with other letters, keeps the letters, and slices from the start of the frame', () => {
    assert.deepEqual(frames('atgnnnaaaccc')[0], 'F1 ATGNNNAAAC MKP');
    assert.deepEqual(frames('AUGGCARYK'), ['F1 AUGG A', 'F3 GGCA G', 'R1 KYRT C', 'R2 YRTG A']);
  });

  it('finds nothing in too little, in ambiguous bases and in stops', () => {
    for (const text of ['', 'A', 'AT', 'NNNNNN', '------']) assert.deepEqual(frames(text), []);
    assert.deepEqual(
      frames('TAATTATAGCTATCA').filter((frame) => frame.startsWith('F1')),
      [],
    );
  });

  it('counts what it would translate, case aside', () => {
    let seed = 7;
    for (let i = 0; i < 300; i++) {
      const text = Array.from({ length: i }, () => 'ACGTNacgt'[(seed = (seed * 16807) % 2147483647) % 9]).join('');
      assert.equal(countOpenFrames(Buffer.from(text)), frames(text).length);
      assert.deepEqual(frames(text.toLowerCase()), frames(text.toUpperCase()));
    }
  });
});
