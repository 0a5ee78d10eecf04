import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { tableFromIPC, tableToIPC } from 'apache-arrow';
import { ArtifactInvalid } from '../../../src/contract/failures.js';
import { readArrowFile, writeArrowFile } from '../../../src/io/arrow-file.js';

describe('io/arrow-file', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-arrow-'))));
  after(() => rm(dir, { recursive: true }));

  const header = { kind: 'test', made_by: 'abc' };
  const columns = {
    id: ['ä', 'b', ''],
    n: Uint32Array.of(1, 2, 3),
    x: Float32Array.of(0.5, 1, 2),
    v: { values: Float32Array.of(1, 2, 3, 4, 5, 6), width: 2 },
  };

  it('gives back what was written, and plain Arrow readers agree', async () => {
    const file = path.join(dir, 'a.arrow');
    assert.equal(await writeArrowFile(file, header, columns), 3);
    const read = await readArrowFile(file, { kind: 'test', madeBy: 'abc' });
    assert.deepEqual(read.strings('id'), columns.id);
    assert.deepEqual(read.uint32('n'), columns.n);
    assert.deepEqual(read.float32('x'), columns.x);
    assert.deepEqual(read.vectors('v'), columns.v);
    const rows = tableFromIPC(await readFile(file)).toArray();
    assert.deepEqual([...rows[1]!.v], [3, 4]);
  });

  it('holds an empty table', async () => {
    const file = path.join(dir, 'empty.arrow');
    await writeArrowFile(file, header, { id: [], v: { values: new Float32Array(), width: 4 } });
    const read = await readArrowFile(file, { kind: 'test' });
    assert.equal(read.rows, 0);
    assert.deepEqual(read.strings('id'), []);
    assert.deepEqual(read.vectors('v'), { values: new Float32Array(), width: 4 });
  });

  it('refuses another kind and another origin', async () => {
    const file = path.join(dir, 'b.arrow');
    await writeArrowFile(file, header, columns);
    await assert.rejects(readArrowFile(file, { kind: 'other' }), ArtifactInvalid);
    await assert.rejects(readArrowFile(file, { kind: 'test', madeBy: 'abd' }), /made by abc, expected abd/);
  });

  it('refuses every flipped byte, every length and every footer length before it is parsed', async function () {
    this.timeout(20_000);
    const file = path.join(dir, 'c.arrow');
    await writeArrowFile(file, header, columns);
    const whole = await readFile(file);
    // What has passed the seal is no longer refused by these words.
    const refuses = async (bytes: Buffer, how: string): Promise<void> => {
      await writeFile(file, bytes);
      await assert.rejects(
        readArrowFile(file),
        (error) =>
          error instanceof ArtifactInvalid &&
          [
            'artifact content differs from its digest',
            'artifact of another program, or of an earlier version',
          ].includes(error.what),
        how,
      );
    };
    for (let at = 0; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = damaged[at]! ^ 0xff;
      await refuses(damaged, `byte ${at}`);
    }
    for (let length = 0; length < whole.length; length += 7)
      await refuses(whole.subarray(0, length), `length ${length}`);
    for (const length of [-(2 ** 31), -1, 0, 1, whole.length - 10, whole.length, 2 ** 31 - 1]) {
      const damaged = Buffer.from(whole);
      damaged.writeInt32LE(length, whole.length - 10);
      await refuses(damaged, `footer of ${length} bytes`);
    }
    await refuses(Buffer.from(tableToIPC(tableFromIPC(whole), 'file')), 'another writer');
  });
});
