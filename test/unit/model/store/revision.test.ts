import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeModelRecord } from '../../../../src/model/store/record.js';
import { modelRevision } from '../../../../src/model/store/revision.js';
import { temporaryFolder } from '../../../support/tiny-models.js';

const COMMIT = 'c0ffee00'.repeat(5);

describe('modelRevision', () => {
  let root: string;
  before(async () => (root = await temporaryFolder()));

  it("is the commit in our record, of the folder or a file in it, or that of the hub's cache", async () => {
    const pulled = path.join(root, 'models/esm2-8m');
    await mkdir(pulled, { recursive: true });
    await writeFile(path.join(pulled, 'model.safetensors'), '');
    await writeModelRecord(pulled, {
      ...{ name: 'esm2-8m', source: 'hub', date: '', virnucpro: '', files: [] },
      revision: COMMIT,
    });
    const snapshot = path.join(root, 'hub/models--facebook--esm2_t6_8M_UR50D/snapshots', COMMIT);
    await mkdir(snapshot, { recursive: true });
    await writeFile(path.join(snapshot, 'model.safetensors'), '');
    for (const folder of [pulled, snapshot]) {
      assert.equal(await modelRevision(folder), COMMIT);
      assert.equal(await modelRevision(path.join(folder, 'model.safetensors')), COMMIT);
    }
  });

  it('is unknown of any other folder', async () => {
    const own = path.join(root, 'own/snapshots', COMMIT);
    await mkdir(own, { recursive: true });
    assert.equal(await modelRevision(own), undefined);
    assert.equal(await modelRevision(path.join(root, 'nowhere')), undefined);
  });
});
