import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { InputError } from '../../../src/contract/failures.js';
import { sha256OfFile } from '../../../src/io/local-store.js';
import { type InputFile, type Piece, writeViralFastas } from '../../../src/io/viral-fasta.js';

describe('io/viral-fasta', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-viral-fasta-'))));
  after(() => rm(dir, { recursive: true }));

  const text = `>one first\nACGT\nNNNN\n>two\n${'acgtu'.repeat(30)}\n>three\nGG\n`;
  const inputOf = async (name: string, bytes: string | Buffer) => {
    const file = path.join(dir, name);
    await writeFile(file, bytes);
    return { path: file, sha256: await sha256OfFile(file) };
  };

  const writeOne = async (file: string, input: InputFile, pieces: Map<string, Piece[]>) => {
    const [written, ...others] = await writeViralFastas([{ file, pieces }], input);
    assert.deepEqual(others, []);
    return written!;
  };

  for (const [name, bytes] of [
    ['plain.fa', text],
    ['packed.fa.gz', gzipSync(text)],
  ] as const) {
    it(`copies the asked contigs of ${name}, letters as they are, in lines of 60`, async () => {
      const asked = new Map([
        ['three', [{ header: 'three tier=review', start: 0, end: 2 }]],
        ['two', [{ header: 'two tier=low_confidence', start: 0, end: 150 }]],
      ]);
      const file = await writeOne(path.join(dir, 'viral.fa'), await inputOf(name, bytes), asked);
      const letters = 'acgtu'.repeat(12);
      assert.equal(
        await readFile(file.path, 'utf8'),
        `>two tier=low_confidence\n${letters}\n${letters}\n${'acgtu'.repeat(6)}\n>three tier=review\nGG\n`,
      );
    });
  }

  it('finds a contig by the name that it was given when records were renamed', async () => {
    const input = { ...(await inputOf('twice.fa', '>a\nACGT\n>a\nGGCC\n')), renameDuplicates: true };
    const piece = { header: 'a_2', start: 0, end: 4 };
    const file = await writeOne(path.join(dir, 'renamed.fa'), input, new Map([['a_2', [piece]]]));
    assert.equal(await readFile(file.path, 'utf8'), '>a_2\nGGCC\n');
  });

  it('cuts stretches out of contigs, in the order of the input and then their own', async () => {
    const asked = new Map([
      [
        'two',
        [
          { header: 'two:0-3', start: 0, end: 3 },
          { header: 'two:85-150', start: 85, end: 150 },
        ],
      ],
      ['one', [{ header: 'one:2-6', start: 2, end: 6 }]],
    ]);
    const file = await writeOne(path.join(dir, 'cut.fa'), await inputOf('cut-input.fa', text), asked);
    const wanted = `>one:2-6\nGTNN\n>two:0-3\nacg\n>two:85-150\n${'acgtu'.repeat(12)}\nacgtu\n`;
    assert.equal(await readFile(file.path, 'utf8'), wanted);
  });

  it('writes several files in one reading, each with its own pieces and digest', async () => {
    const input = await inputOf('several-input.fa', text);
    const files = [
      { file: path.join(dir, 'a.fa'), pieces: new Map([['one', [{ header: 'one', start: 0, end: 8 }]]]) },
      { file: path.join(dir, 'b.fa'), pieces: new Map([['one', [{ header: 'one:0-2', start: 0, end: 2 }]]]) },
      { file: path.join(dir, 'c.fa'), pieces: new Map() },
    ];
    const written = await writeViralFastas(files, input);
    const texts = await Promise.all(written.map(({ path: file }) => readFile(file, 'utf8')));
    assert.deepEqual(texts, ['>one\nACGTNNNN\n', '>one:0-2\nAC\n', '']);
    for (const { path: file, bytes, sha256 } of written) {
      assert.equal(sha256, await sha256OfFile(file));
      assert.equal(bytes, (await readFile(file)).length);
    }
  });

  it('is empty when no contig is viral, without looking at the input', async () => {
    const file = await writeOne(path.join(dir, 'none.fa'), { path: '/nowhere', sha256: '' }, new Map());
    assert.equal(file.bytes, 0);
  });

  it('refuses an input that is not what was split, and leaves nothing', async () => {
    const input = await inputOf('changed.fa', text);
    await writeFile(input.path, text.replace('ACGT', 'ACGA'));
    const target = path.join(dir, 'changed', 'viral.fa');
    await assert.rejects(writeOne(target, input, new Map([['one', []]])), InputError);
    assert.deepEqual(await readdir(path.dirname(target)), []);
  });
});
