import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InputError, InternalError } from '../../../src/contract/failures.js';
import { readInput } from '../../../src/io/input.js';
import { Xxh64 } from '../../../src/io/xxh64.js';
import { unpackZstd, type ZstdUnpacker } from '../../../src/io/zstd.js';
import { ZstdBlocks } from '../../../src/io/zstd-blocks.js';
import { ZstdThread } from '../../../src/io/zstd-thread.js';
import { pieces as inPieces } from '../../support/pieces.js';

/** `zstd -19` and, through a pipe, `zstd -19 --no-check` (1.5.4) of one FASTA file of 432 bytes. */
const PACKED = Buffer.from(
  'KLUv/WSwAOUDABZQGxGwGYYDQGGcyAufz7SQSRdWThkAEwAWAL9rmZ3ku91OHnVjdzrRzFAkEAUCYGA4BALRzGgsejFXtb4TS0z7GfOl8x8DVZf2' +
    '8jFpy11xHBaKwNgySk6ayyprE0MwrGz+s+kuT4vx95xJ6eb7kwsDQBnia2CZlxqLUAHKMfsb',
  'base64',
);
const PACKED_UNCHECKED = Buffer.from(
  'KLUv/QBo5QMAFlAbEbAZhgNAYZzIC5/PtJBJF1ZOGQATABYAv2uZneS73U4edWN3OtHMUCQQBQJgYDgEAtHMaCx6MVe1vhNLTPsZ86XzHwNVl/by' +
    'MWnLXXEcForA2DJKTprLKmsTQzCsbP6z6S5Pi/H3nEnp5vuTCwNAGeJrYJmXGotQAQ==',
  'base64',
);
const SHA256_OF_CONTENT = '6e44723314236225f5c83d69601e85100ea96142186c33f6185cef9950118e6e';

/** A frame that is passed over. */
const SKIPPABLE = Buffer.from('5f2a4d1805000000000000fd2f', 'hex');

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function unpack(packed: Uint8Array, pieceBytes = packed.length, start?: () => ZstdUnpacker): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of unpackZstd(inPieces(packed, pieceBytes), 'a.fa.zst', start)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Without a thread, which takes longer to start than a small file takes. */
function unpackHere(packed: Uint8Array): Promise<Buffer> {
  const blocks = new ZstdBlocks();
  return unpack(packed, packed.length, () => ({
    startFrame: async (header) => blocks.startFrame(header),
    unpack: async (block) => blocks.unpack(block),
    close: async () => {},
  }));
}

/** A header of a frame with a window of 128 KiB, no size and no checksum. */
const HEADER = Buffer.from('28b52ffd0038', 'hex');

/** 66 KB: one block of 33,000 matches of 128 KiB each, by tables of one code (RFC 8878, 3.1.1.3.2.1). */
function endlessBlock(matches = 33_000, isLast = true): Buffer {
  const count = matches < 128 ? [matches] : [0xff, (matches - 0x7f00) & 0xff, (matches - 0x7f00) >> 8];
  const codes = [0x08, 0x41, ...count, 0x54, 0, 0, 52];
  const block = Buffer.concat([Buffer.from(codes), Buffer.alloc(2 * matches, 0xff), Buffer.from([1])]);
  const header = Buffer.alloc(3);
  header.writeUIntLE((block.length << 3) | (2 << 1) | Number(isLast), 0, 3);
  return Buffer.concat([header, block]);
}

/** Threads that keep this process. */
function threads(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length;
}

describe('io/zstd', () => {
  let content: Buffer;
  before(async () => (content = await unpack(PACKED)));

  it('unpacks what the zstd program packed, in pieces of any size', async () => {
    assert.equal(sha256(content), SHA256_OF_CONTENT);
    for (const pieceBytes of [1, 2, 7, 100]) {
      assert.deepEqual(await unpack(PACKED, pieceBytes), content);
      assert.deepEqual(await unpack(PACKED_UNCHECKED, pieceBytes), content);
    }
  });

  it('unpacks files of several frames, passes over those of another kind, and takes an empty file for one of no frame', async () => {
    const file = Buffer.concat([SKIPPABLE, PACKED, SKIPPABLE, PACKED_UNCHECKED, PACKED, SKIPPABLE]);
    assert.deepEqual(await unpack(file, 10), Buffer.concat([content, content, content]));
    assert.equal((await unpack(SKIPPABLE)).length, 0);
    assert.equal((await unpack(Buffer.alloc(0), 1)).length, 0);
  });

  it('unpacks frames that are shorter than what fzstd waits for', async () => {
    // `zstd --no-check` of 6 bytes through a pipe: 15 bytes.
    const small = Buffer.concat([HEADER, Buffer.from('310000', 'hex'), Buffer.from('>a\nAC\n')]);
    const threeBlocks = Buffer.concat([HEADER, Buffer.from('0a0000410a0000430b000047', 'hex')]);
    assert.equal(String(await unpack(small)), '>a\nAC\n');
    assert.equal(
      String(await unpack(Buffer.concat([small, PACKED, threeBlocks, small]))),
      `>a\nAC\n${content}ACG>a\nAC\n`,
    );
  });

  it('says of a file that is cut anywhere but between two frames that it is truncated', async () => {
    const file = Buffer.concat([PACKED, SKIPPABLE, PACKED_UNCHECKED]);
    for (let end = 1; end < file.length; end += 1) {
      if (end === PACKED.length || end === PACKED.length + SKIPPABLE.length) continue;
      await assert.rejects(unpackHere(file.subarray(0, end)), { what: 'zstd file is truncated', where: 'a.fa.zst' });
    }
  });

  it('never gives other content for a file with a flipped bit that has a checksum', async () => {
    let refused = 0;
    for (let bit = 0; bit < PACKED.length * 8; bit += 1) {
      const damaged = Buffer.from(PACKED);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const found = await unpackHere(damaged).catch((error: unknown) => error);
      if (Buffer.isBuffer(found)) {
        // A few bits of the coding tables mean nothing.
        assert.deepEqual(found, content, `bit ${bit}`);
        continue;
      }
      assert.ok(found instanceof InputError, `bit ${bit}: ${String(found)}`);
      refused += 1;
    }
    assert.ok(refused > PACKED.length * 8 * 0.95, `${refused} are refused`);
  });

  it('refuses what is behind the last frame, another size, a dictionary and a large window, with the next step', async () => {
    await assert.rejects(unpack(Buffer.concat([PACKED, Buffer.from('more')])), /damaged: bytes that are no frame/);
    const frame = (header: string): Buffer => Buffer.from(`28b52ffd${header}010000`, 'hex');
    assert.equal((await unpack(frame('0058'))).length, 0);
    await assert.rejects(unpack(frame('2005')), /damaged: a frame says that it has 5 bytes and has 0/);
    await assert.rejects(unpack(frame('015807')), /packed with a dictionary.*zstd -dc -D DICTIONARY/s);
    await assert.rejects(unpack(frame('00a0')), /takes 1073741824 bytes of memory to unpack.*--long=31/s);
    await assert.rejects(unpack(Buffer.from('28b52ffd0058ffffff', 'hex')), /damaged: a block of \d+ bytes/);
  });

  it('holds one block and the window, however much comes out of it', async () => {
    // A window of 2 MiB, then 1,024 blocks of 128 KiB of the letter A, the last one marked so: 128 MiB in 4 KiB.
    const packed = Buffer.from(`28b52ffd0058${'02001041'.repeat(1_023)}03001041`, 'hex');
    let bytes = 0;
    let largest = 0;
    for await (const piece of unpackZstd(inPieces(packed, 1 << 16), 'a.zst')) {
      bytes += piece.length;
      largest = Math.max(largest, piece.length);
    }
    assert.deepEqual([bytes, largest], [2 ** 27, 2 ** 17]);
  });

  describe('on its thread', () => {
    let before: number;
    beforeEach(() => (before = threads()));
    afterEach(() => assert.equal(threads(), before, 'no thread is left'));

    it('gives a block up that was made to never end', async () => {
      const bomb = Buffer.concat([HEADER, endlessBlock()]);
      await assert.rejects(
        unpack(bomb, bomb.length, () => new ZstdThread(100)),
        { name: 'InputError', what: 'zstd file is damaged: a block that never ends', where: 'a.fa.zst' },
      );
    });

    it('gives a file up of many blocks that each take long', async () => {
      const slow = endlessBlock(60, false);
      const patient = new ZstdThread();
      await patient.startFrame(HEADER);
      const times: number[] = [];
      for (let block = 0; block < 6; block++) {
        const startedAt = performance.now();
        await patient.unpack(slow);
        times.push(performance.now() - startedAt);
      }
      await patient.close();
      const tickMs = Math.min(...times) / 4;
      const bomb = Buffer.concat([HEADER, ...Array.from({ length: 60 }, () => slow), endlessBlock(1)]);
      await assert.rejects(
        unpack(bomb, bomb.length, () => new ZstdThread(tickMs)),
        { what: 'zstd file is damaged: a block that never ends' },
      );
    });

    it('does not take the time for which its caller was busy or stopped for that of a block', async () => {
      const thread = new ZstdThread(100);
      try {
        await thread.startFrame(HEADER);
        const unpacked = thread.unpack(Buffer.from('03000241', 'hex'));
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
        assert.deepEqual(await unpacked, { pieces: [new Uint8Array(2 ** 14).fill(0x41)] });
      } finally {
        await thread.close();
      }
    });

    it('is ended when the file is damaged, cut or read no further', async () => {
      for (const cut of [PACKED.subarray(0, -1), PACKED.subarray(0, -10), Buffer.concat([PACKED, HEADER, PACKED])]) {
        await assert.rejects(unpack(cut), InputError);
        assert.equal(threads(), before);
      }
      // The first block comes out while the thread is at the second.
      const bomb = Buffer.concat([HEADER, Buffer.from('a00000', 'hex'), Buffer.alloc(20, 'A'), endlessBlock()]);
      for await (const piece of unpackZstd(inPieces(bomb), 'a.fa.zst')) {
        assert.equal(piece.length, 20);
        assert.equal(threads(), before + 1);
        break;
      }
    });

    it('is a bug when it ends of itself', async () => {
      const thread = new ZstdThread();
      await thread.startFrame(HEADER);
      const unpacked = thread.unpack(endlessBlock());
      await Promise.all([assert.rejects(unpacked, InternalError), thread.close()]);
      await assert.rejects(thread.startFrame(HEADER), InternalError);
    });

    it('starts in a process with the flags of a lane, and keeps none from its end', () => {
      const program = `
        import { unpackZstd } from ${JSON.stringify(new URL('../../../src/io/zstd.js', import.meta.url))};
        const packed = Buffer.from('${PACKED.toString('base64')}', 'base64');
        for await (const piece of unpackZstd((async function* () { yield packed; })(), 'a')) process.stdout.write(piece);`;
      const flags = ['--expose-gc', '--max-semi-space-size=2', '--enable-source-maps', '--input-type=module'];
      const { stdout, status, stderr } = spawnSync(process.execPath, [...flags, '-e', program], { timeout: 30_000 });
      assert.deepEqual([sha256(stdout), status, String(stderr)], [SHA256_OF_CONTENT, 0, '']);
    });
  });

  describe('through readInput', () => {
    let dir: string;
    before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-zstd-'))));
    after(() => rm(dir, { recursive: true }));

    it('is known by its first bytes, also where a skippable frame comes first', async () => {
      const file = path.join(dir, 'input');
      for (const packed of [PACKED, Buffer.concat([SKIPPABLE, PACKED])]) {
        await writeFile(file, packed);
        const pieces: Uint8Array[] = [];
        let stored = 0;
        for await (const piece of readInput(file, { onRead: (raw) => (stored += raw.length) })) pieces.push(piece);
        assert.deepEqual([Buffer.concat(pieces), stored], [content, packed.length]);
      }
    });
  });
});

describe('io/xxh64', () => {
  const hash = (...parts: (string | Uint8Array)[]): string => {
    const xxh64 = new Xxh64();
    for (const part of parts) xxh64.update(Buffer.from(part));
    return xxh64.digest().toString(16).padStart(16, '0');
  };

  it('gives the published values', () => {
    // With seed 0; the tests of other implementations have them, too.
    assert.equal(hash(), 'ef46db3751d8e999');
    assert.equal(hash('a'), 'd24ec4f1a98c6e5b');
    assert.equal(hash('abc'), '44bc2cf5ad770999');
    assert.equal(hash('Call me Ishmael. Some years ago--never mind how long precisely-'), '02a2e85470d6fd96');
  });

  it('does not depend on how the bytes are cut', () => {
    const bytes = randomBytes(300);
    for (const cut of [0, 1, 31, 32, 33, 63, 64, 100, 299]) {
      assert.equal(hash(bytes.subarray(0, cut), bytes.subarray(cut)), hash(bytes));
    }
  });
});
