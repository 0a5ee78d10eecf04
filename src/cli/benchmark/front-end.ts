import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { splitToFasta } from '../../io/split-fasta.js';
import { cacheFolderPath } from '../../io/user-folders.js';
import { openModel } from '../../model/model.js';
import { contigLength, createRandom, madeUpContig } from '../made-up/contigs.js';
import { madeUpFrames } from '../made-up/frames.js';
import { type Bench, type Measurement, repeat } from './measurement.js';

const CHUNK_SIZE = 500;

/** Tokenizing is quick: that many times the sequences of the other suites, in rounds. */
const SEQUENCES = 2_000;

/** Longest contig that is split, in bases. */
const LONGEST = 300_000;

/** Before any model: chunks and frames of contigs, files written, and DNA tokens of frames. */
export async function frontEnd(bench: Bench): Promise<Measurement[]> {
  const input = path.join(bench.dir, 'front-end.fa');
  await writeContigs(input, 1e6 * bench.size.megabases);
  const { size: bytes } = await stat(input);
  const { tokenizer } = await openModel(bench.models.dna, cacheFolderPath());
  const frames = madeUpFrames(SEQUENCES);
  const split = await repeat(bench, async () => ({
    speed:
      bytes /
      1e6 /
      (await seconds(() =>
        splitToFasta({ input, stem: 'front-end', outputDir: bench.dir, chunkSize: CHUNK_SIZE, signal: bench.signal }),
      )),
  }));
  const tokens = await repeat(bench, async () => ({
    speed:
      frames.length / (await seconds(async () => frames.forEach(({ nucleotide }) => tokenizer.encode(nucleotide)))),
  }));
  const common = { suite: 'front-end', better: 'higher' } as const;
  return [
    { ...common, name: 'split into chunks and frames', unit: 'MB/s', runs: split.speed },
    { ...common, name: 'DNA tokenizer', unit: 'sequences/s', runs: tokens.speed },
  ];
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

async function writeContigs(file: string, bases: number): Promise<void> {
  const random = createRandom(2);
  function* contigs(): Generator<string> {
    let written = 0;
    for (let number = 1; written < bases; number++) {
      const length = Math.min(bases - written, contigLength(random, LONGEST));
      written += length;
      yield `>contig_${number}\n${madeUpContig(length, random)}\n`;
    }
  }
  await pipeline(contigs(), createWriteStream(file));
}
