import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { tableFromIPC } from 'apache-arrow';
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

  it('refuses another kind, another origin, and every flipped content byte', async () => {
    const file = path.join(dir, 'b.arrow');
    await writeArrowFile(file, header, columns);
    await assert.rejects(readArrowFile(file, { kind: 'other' }), ArtifactInvalid);
    await assert.rejects(readArrowFile(file, { kind: 'test', madeBy: 'abd' }), /made by abc, expected abd/);
    const bytes = await readFile(file);
    const at = bytes.indexOf(Buffer.from(Float32Array.of(5, 6).buffer));
    bytes[at] = bytes[at]! ^ 1;
    await writeFile(file, bytes);
    await assert.rejects(readArrowFile(file, { kind: 'test' }), /content differs/);
    await writeFile(file, bytes.subarray(0, 40));
    await assert.rejects(readArrowFile(file, { kind: 'test' }), ArtifactInvalid);
  });

  it('refuses a file whose batch is no batch, instead of looking for one for ever', async () => {
    const file = path.join(dir, 'c.arrow');
    await writeArrowFile(file, header, columns);
    const bytes = await readFile(file);
    const [recordBatch, schema] = [3, 1];
    let refused = 0;
    // One of these bytes is the type of its message.
    for (let at = 8; at < 100; at++) {
      if (bytes[at] !== recordBatch) continue;
      const damaged = Buffer.from(bytes);
      damaged[at] = schema;
      await writeFile(file, damaged);
      await readArrowFile(file, { kind: 'test' }).catch((error: unknown) => {
        assert.ok(error instanceof ArtifactInvalid);
        refused += 1;
      });
    }
    assert.ok(refused > 0);
  });
});
