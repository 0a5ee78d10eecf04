import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { InputError, OptionError } from '../../../src/contract/failures.js';
import { sha256OfFile } from '../../../src/io/local-store.js';
import { splitToFasta } from '../../../src/io/split-fasta.js';
import { GOLDEN_CASES, goldenCases } from '../../support/golden.js';
import { randomSequences } from '../../support/random-sequences.js';

describe('io/split-fasta', () => {
  let dir: string;
  let input: string;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vnp-split-'));
    input = path.join(dir, 'input.fa');
  });
  afterEach(() => rm(dir, { recursive: true }));

  /** Splits `bytes` and gives the three files' texts. */
  async function split(bytes: Uint8Array | string, chunkSize: number): Promise<string[]> {
    await writeFile(input, bytes);
    const { files } = await splitToFasta({ input, stem: 's', outputDir: path.join(dir, 'out'), chunkSize });
    return Promise.all(Object.values(files).map((file) => readFile(file, 'latin1')));
  }

  const golden = (folder: string): Promise<string[]> => {
    const names = ['chunked.fa', 'identified_nucleotide.fa', 'identified_protein.faa'];
    return Promise.all(names.map((name) => readFile(path.join(folder, name), 'latin1')));
  };

  for (const { name, dir: folder, chunkSize } of goldenCases) {
    it(`writes the original's files for ${name}, plain, gzipped, with CR LF, unwrapped`, async () => {
      const expected = await golden(folder);
      const text = await readFile(path.join(folder, 'input.fa'), 'latin1');
      const unwrapped = text.replace(/^(?!>)(.*)\n(?!>)/gm, '$1');
      for (const variant of [text, gzipSync(text), text.replaceAll('\n', '\r\n'), unwrapped]) {
        assert.deepEqual(await split(variant, chunkSize), expected);
      }
    });
  }

  it('translates lower case as upper case, and keeps it in the chunks', async () => {
    const text = await readFile(`${GOLDEN_CASES}/mixed-300/input.fa`, 'latin1');
    const lower = text.replace(/^(?!>).*$/gm, (line) => line.toLowerCase());
    const [chunked, ...frames] = await split(text, 300);
    const [lowerChunked, ...lowerFrames] = await split(lower, 300);
    assert.deepEqual(lowerFrames, frames);
    assert.equal(
      lowerChunked,
      chunked!.replace(/^(?!>).*$/gm, (line) => line.toLowerCase()),
    );
  });

  it('counts', async () => {
    await writeFile(input, '>a\nATGAA\n>empty\n>stop\nTAATTAATTAA\n');
    const { files, ...totals } = await splitToFasta({ input, stem: 's', outputDir: dir, chunkSize: 6 });
    assert.deepEqual(totals, { records: 3, bases: 16, chunks: 3, chunksNoOpenFrame: 0, frames: 13 });
    assert.deepEqual(
      Object.values(files).map((file) => path.basename(file)),
      ['s_chunked6.fa', 's_identified_nucleotide.fa', 's_identified_protein.faa'],
    );
    const ids = (await readFile(files.nucleotide, 'latin1')).match(/^>.*/gm);
    assert.equal(ids!.length, totals.frames);
  });

  it('writes the same bytes with any number of threads, and nothing when it is stopped', async () => {
    const text = [...randomSequences(40, 3000)].map((sequence) => sequence.repeat(1500));
    assert.ok(text.join('').length > 20e6, 'enough for threads to start');
    await writeFile(input, text.map((sequence, i) => `>contig${i}\n${sequence}\n`).join(''));
    const task = { input, stem: 's', outputDir: path.join(dir, 'out'), chunkSize: 500 };
    const digests = async (threads: number): Promise<string[]> => {
      const { files } = await splitToFasta({ ...task, threads });
      return Promise.all(Object.values(files).map(sha256OfFile));
    };
    const alone = await digests(0);
    for (const threads of [1, 3]) assert.deepEqual(await digests(threads), alone);

    await rm(task.outputDir, { recursive: true });
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('stopped')), 50);
    await assert.rejects(splitToFasta({ ...task, threads: 1, signal: controller.signal }), /stopped/);
    assert.deepEqual(await readdir(task.outputDir), []);
  });

  it('writes empty files for an empty input', async () => {
    for (const nothing of ['', '\n\n', gzipSync('')]) assert.deepEqual(await split(nothing, 500), ['', '', '']);
  });

  it('writes nothing for a bad input or option', async () => {
    await assert.rejects(split('>a\nACGT\n>a\nACGT\n', 500), InputError);
    await assert.rejects(split('>a\nACGT\n', 2), OptionError);
    const task = { input: `${GOLDEN_CASES}/edge-500/input.fa`, stem: 's', outputDir: dir, chunkSize: 500 };
    await assert.rejects(splitToFasta({ ...task, input: path.join(dir, 'none.fa') }), /no such file/);
    assert.deepEqual(await readdir(path.join(dir, 'out')), []);
    assert.deepEqual((await readdir(dir)).sort(), ['input.fa', 'out']);
  });
});
