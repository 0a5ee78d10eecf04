import assert from 'node:assert/strict';
import type { ScoredChunk } from '../../../src/scoring/contig-call.js';
import { viralRegions } from '../../../src/scoring/viral-regions.js';

/** A contig drawn as a letter a chunk of 500 bases: V viral, o called and not viral, . not called. */
function regionsOf(drawing: string, length = 500 * drawing.length): [number, number, number, number][] {
  const scored = [...drawing].flatMap((letter, i): ScoredChunk[] =>
    letter === '.'
      ? []
      : [
          {
            number: i + 1,
            pVirus: letter === 'V' ? 0.75 : 0.25,
            pOther: letter === 'V' ? 0.25 : 0.75,
            isVirus: letter === 'V',
          },
        ],
  );
  return viralRegions('c', length, 500, scored).map((region) => [
    region.start,
    region.end,
    region.chunksViral,
    region.chunksCalled,
  ]);
}

describe('scoring/viral-regions', () => {
  const cases: [string, string, [number, number, number, number][]][] = [
    ['a contig of one chunk', 'V', [[0, 500, 1, 1]]],
    ['none', 'oo.o', []],
    ['neighbours', 'ooVVVoo', [[1000, 2500, 3, 3]]],
    ['one other chunk between', 'VoV', [[0, 1500, 2, 3]]],
    [
      'two other chunks between',
      'VooV',
      [
        [0, 500, 1, 1],
        [1500, 2000, 1, 1],
      ],
    ],
    ['5,000 bases without a call', 'V..........V', [[0, 6000, 2, 2]]],
    [
      '5,500 bases without a call',
      'V...........V',
      [
        [0, 500, 1, 1],
        [6000, 6500, 1, 1],
      ],
    ],
    ['others around a prophage are not part of it', 'o.oV.VoV.o', [[1500, 4000, 3, 4]]],
  ];
  for (const [what, drawing, expected] of cases) {
    it(`${what}: ${drawing}`, () => assert.deepEqual(regionsOf(drawing), expected));
  }

  it('follows the uneven chunks of a contig that is no multiple of the window', () => {
    assert.deepEqual(regionsOf('oV', 501), [[250, 501, 1, 1]]);
    assert.deepEqual(regionsOf('oVo', 1001), [[333, 833, 1, 1]]);
  });

  it('gives the mean P(virus) of its called chunks', () => {
    const [region] = viralRegions('c', 1500, 500, [
      { number: 1, pVirus: 0.75, pOther: 0.25, isVirus: true },
      { number: 2, pVirus: 0.25, pOther: 0.5, isVirus: false },
      { number: 3, pVirus: 0.5, pOther: 0.5, isVirus: true },
    ]);
    assert.equal(region!.meanPVirus, 0.5);
  });

  it('keeps regions apart and in order, whatever the chunks', () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 16807) % 2147483647) / 2147483647;
    for (let round = 0; round < 200; round++) {
      const drawing = Array.from({ length: 1 + Math.floor(60 * random()) }, () => 'Vo..'[Math.floor(4 * random())]!);
      const length = 500 * drawing.length - Math.floor(499 * random());
      const regions = regionsOf(drawing.join(''), length);
      const viral = drawing.filter((letter) => letter === 'V').length;
      assert.equal(
        regions.reduce((sum, [, , chunks]) => sum + chunks, 0),
        viral,
      );
      let last = -1;
      for (const [start, end] of regions) {
        assert.ok(start > last && end > start && end <= length, `${drawing.join('')}: ${start}-${end}`);
        last = end - 250;
      }
    }
  });
});
