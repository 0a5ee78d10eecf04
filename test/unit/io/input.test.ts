import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { InputError } from '../../../src/contract/failures.js';
import { inputStem, readInput } from '../../../src/io/input.js';

describe('io/input', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-input-'))));
  after(() => rm(dir, { recursive: true }));

  async function read(bytes: Uint8Array): Promise<{ text: string; stored: number }> {
    const file = path.join(dir, 'input');
    await writeFile(file, bytes);
    let stored = 0;
    const found: Uint8Array[] = [];
    for await (const piece of readInput(file, { onRead: (raw) => (stored += raw.length) })) found.push(piece);
    return { text: Buffer.concat(found).toString('latin1'), stored };
  }

  const text = '>a\nACGT\n'.repeat(100_000);
  // An empty member with the extra field BC: what bgzip writes at a file's end.
  const bgzfEnd = Buffer.from('1f8b08040000000000ff0600424302001b0003000000000000000000', 'hex');

  it('reads plain and gzipped files alike, also of several members', async () => {
    const half = text.length / 2;
    const members = Buffer.concat([gzipSync(text.slice(0, half)), gzipSync(text.slice(half)), bgzfEnd]);
    for (const bytes of [Buffer.from(text), gzipSync(text), members]) {
      assert.deepEqual(await read(bytes), { text, stored: bytes.length });
    }
    assert.equal((await read(gzipSync(text, { level: 0 }))).text, text);
    assert.equal((await read(Buffer.concat([gzipSync(text), Buffer.alloc(1 << 20)]))).text, text);
  });

  it('reads nothing from an empty file, a gzipped nothing, and the rest of gzip magic', async () => {
    assert.deepEqual(await read(Buffer.alloc(0)), { text: '', stored: 0 });
    assert.equal((await read(gzipSync(''))).text, '');
    assert.equal((await read(bgzfEnd)).text, '');
    assert.equal((await read(Buffer.of(0x1f))).text, '\x1f');
  });

  it('refuses files that are packed in another way, and says how to unpack them', async () => {
    for (const [name, start] of [
      ['xz', 'fd377a585a00'],
      ['bzip2', '425a6839'],
      ['zip', '504b0304'],
    ] as const) {
      await assert.rejects(
        read(Buffer.concat([Buffer.from(start, 'hex'), Buffer.from('>a\nACGT\n')])),
        (error: InputError) => {
          assert.equal(error.what, `a ${name} file; FASTA is read plain, gzipped or packed by zstd`);
          return error instanceof InputError && error.next.includes('| virnucpro predict -');
        },
      );
    }
  });

  it('refuses truncated and damaged gzip files', async () => {
    const whole = gzipSync(text);
    for (const cut of [2, 9, 11, whole.length - 9, whole.length - 1]) {
      await assert.rejects(read(whole.subarray(0, cut)), (error: unknown) => {
        return error instanceof InputError && error.what === 'gzip file is truncated' && error.where!.endsWith('input');
      });
    }
    await assert.rejects(read(Buffer.concat([whole, whole.subarray(0, 20)])), /gzip file is truncated/);
    const damaged = Buffer.from(whole);
    damaged[whole.length - 6]! ^= 1;
    await assert.rejects(read(damaged), /gzip file is damaged: incorrect data check/);
    await assert.rejects(read(Buffer.concat([whole, Buffer.from('garbage')])), /gzip file is damaged/);
  });

  it('names missing files and folders', async () => {
    const drain = async (input: string): Promise<void> => {
      for await (const piece of readInput(input)) assert.fail(String(piece.length));
    };
    await assert.rejects(drain(path.join(dir, 'none.fa')), (error: unknown) => {
      return error instanceof InputError && error.what === 'no such file' && error.where === path.join(dir, 'none.fa');
    });
    await assert.rejects(drain(dir), (error: unknown) => error instanceof InputError && /^a folder/.test(error.what));
  });

  it('names results after the input', () => {
    const stems = [
      'x/contigs.fa',
      'contigs.fasta.gz',
      'contigs.FNA.bgz',
      'contigs.fa.zst',
      'a.b.fa',
      'my.family.fna',
      'contigs',
      '-',
      '.fa',
    ];
    assert.deepEqual(stems.map(inputStem), [
      'contigs',
      'contigs',
      'contigs',
      'contigs',
      'a.b',
      'my.family',
      'contigs',
      'stdin',
      '.fa',
    ]);
  });
});
