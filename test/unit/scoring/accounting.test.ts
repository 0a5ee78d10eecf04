import assert from 'node:assert/strict';
import { InternalError } from '../../../src/contract/failures.js';
import type { ContigRow } from '../../../src/io/contigs-file.js';
import { accountContigs, checkLaws } from '../../../src/scoring/accounting.js';
import { Consensus } from '../../../src/scoring/consensus.js';

interface Sample {
  contigs: ContigRow[];
  called: string[];
  quarantined: string[];
}

describe('scoring/accounting', () => {
  const account = ({ contigs, called, quarantined }: Sample): ReturnType<typeof accountContigs> => {
    const consensus = new Consensus();
    for (const id of called) consensus.add({ id, label: 'others', score1: 1, score2: 0 });
    return accountContigs(contigs, consensus.sorted(), quarantined);
  };
  const check = (sample: Sample, predictions = sample.called.length, quarantined = sample.quarantined.length): void =>
    checkLaws(account(sample), predictions, quarantined);

  const sample: Sample = {
    contigs: [
      { id: 'a', length: 1200, chunks: 3, chunksNoOpenFrame: 1, frames: 4, reason: '' },
      { id: 'a_chunk_1', length: 500, chunks: 1, chunksNoOpenFrame: 0, frames: 2, reason: '' },
      { id: 'closed', length: 500, chunks: 1, chunksNoOpenFrame: 1, frames: 0, reason: 'no_open_frame' },
      { id: 'short', length: 2, chunks: 1, chunksNoOpenFrame: 1, frames: 0, reason: 'too_short' },
      { id: 'nothing', length: 0, chunks: 0, chunksNoOpenFrame: 0, frames: 0, reason: 'empty' },
    ],
    called: ['a_chunk_1F1', 'a_chunk_1R1'],
    quarantined: ['a_chunk_1F2', 'a_chunk_3F1', 'a_chunk_1_chunk_1F1', 'a_chunk_1_chunk_1F2'],
  };

  it('has one row a contig, in input order, each called or with its reason', () => {
    const rows = account(sample);
    assert.deepEqual(
      rows.map((row) => [row.contig, row.status, row.reason]),
      [
        ['a', 'called', ''],
        ['a_chunk_1', 'not_called', 'quarantined'],
        ['closed', 'not_called', 'no_open_frame'],
        ['short', 'not_called', 'too_short'],
        ['nothing', 'not_called', 'empty'],
      ],
    );
    assert.deepEqual(rows[0], {
      contig: 'a',
      length: 1200,
      status: 'called',
      reason: '',
      chunks: 3,
      chunksCalled: 1,
      chunksNoOpenFrame: 1,
      chunksQuarantinedOnly: 1,
      frames: 4,
      framesCalled: 2,
      framesQuarantined: 2,
    });
    checkLaws(rows, 2, 4);
    checkLaws([], 0, 0);
  });

  it('names the contig that lost or gained a frame or a chunk', () => {
    const refuse = (change: Partial<Sample>, message: RegExp): void =>
      assert.throws(
        () => check({ ...sample, ...change }),
        (error) => error instanceof InternalError && message.test(error.message),
      );
    refuse({ called: sample.called.slice(1) }, /4 frames are not 1 called \+ 2 quarantined \(contig a\)/);
    refuse({ called: [...sample.called, 'a_chunk_1R2'] }, /4 frames are not 3 called \+ 2 quarantined \(contig a\)/);
    refuse({ quarantined: sample.quarantined.slice(0, 3) }, /2 frames are not 0 called \+ 1 .*\(contig a_chunk_1\)/);
    refuse({ called: [] }, /contig a\)/);
    refuse({ called: ['a_chunk_1F1', 'a_chunk_2F1'] }, /3 chunks are not 2 called \+ 1 without .* \+ 1 quarantined/);
    refuse({ called: ['other_chunk_1F1'] }, /other_chunk_1 belongs to no contig/);
    refuse({ contigs: [...sample.contigs, sample.contigs[0]!] }, /two contigs are called a/);
    const unexplained = { ...sample.contigs[4]!, reason: '' } as const;
    refuse({ contigs: [...sample.contigs.slice(0, 4), unexplained] }, /not_called with the reason '' \(contig nothing/);
  });

  it('compares the totals with what the run wrote and quarantined', () => {
    assert.throws(() => check(sample, 3), /2 called and 4 quarantined frames, the run 3 and 4/);
    assert.throws(() => check(sample, 2, 5), /the run 2 and 5/);
  });

  it('holds on random samples, and on none of them with one frame dropped', () => {
    const random = seeded(7);
    for (let round = 0; round < 100; round++) {
      const drawn = drawSample(random);
      check(drawn);
      const all = drawn.called.length;
      if (all === 0) continue;
      const dropped = Math.floor(random() * all);
      const lossy = { ...drawn, called: drawn.called.filter((_, i) => i !== dropped) };
      assert.throws(() => check(lossy, all), InternalError);
    }
  });
});

function drawSample(random: () => number): Sample {
  const drawn: Sample = { contigs: [], called: [], quarantined: [] };
  const upTo = (n: number): number => Math.floor(random() * (n + 1));
  for (let c = upTo(8); c > 0; c--) {
    const id = ['k', 'k_chunk_1', 'q"', 'ö,'][upTo(3)]! + c;
    const chunks = upTo(4);
    const contig: ContigRow = { id, length: chunks * 10, chunks, chunksNoOpenFrame: 0, frames: 0, reason: 'empty' };
    for (let chunk = 1; chunk <= chunks; chunk++) {
      const frames = ['F1', 'F2', 'F3', 'R1', 'R2', 'R3'].slice(0, upTo(6));
      contig.frames += frames.length;
      if (frames.length === 0) contig.chunksNoOpenFrame += 1;
      for (const frame of frames) {
        (random() < 0.3 ? drawn.quarantined : drawn.called).push(`${id}_chunk_${chunk}${frame}`);
      }
    }
    contig.reason = chunks === 0 ? 'empty' : contig.frames === 0 ? 'no_open_frame' : '';
    drawn.contigs.push(contig);
  }
  return drawn;
}

/** A small linear congruential generator: the same numbers on every machine. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
}
