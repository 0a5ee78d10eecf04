import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LocalStore, temporaryName } from '../../../src/io/local-store.js';

describe('io/local-store', () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'virnucpro-store-'));
  });
  after(() => rm(root, { recursive: true }));

  it('removes what killed writers left below a folder, and nothing that is published or elsewhere', async () => {
    const store = new LocalStore(root);
    for (const key of ['kept/stage/batch', 'other/batch']) {
      await store.put(key, async (file) => {
        await writeFile(file, 'whole');
        return 1;
      });
      await writeFile(temporaryName(path.join(root, key)), 'torn');
    }
    await store.removeUnpublished('kept');
    await store.removeUnpublished('nowhere');
    assert.deepEqual(await readdir(path.join(root, 'kept', 'stage')), ['batch']);
    assert.equal((await readdir(path.join(root, 'other'))).length, 2);
  });
});
