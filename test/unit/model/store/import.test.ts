import assert from 'node:assert/strict';
import { access, copyFile, mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ModelError } from '../../../../src/contract/failures.js';
import { importModel } from '../../../../src/model/store/import.js';
import { listModels } from '../../../../src/model/store/list.js';
import { readModelRecord } from '../../../../src/model/store/record.js';
import { removeModel } from '../../../../src/model/store/remove.js';
import { writeSmallEsm2 } from '../../../support/small-esm2.js';
import { MODELS, temporaryFolder } from '../../../support/tiny-models.js';

const REPO = 'facebook/esm2_t6_8M_UR50D';

describe('a model that was brought along', () => {
  let root: string;
  let env: NodeJS.ProcessEnv;
  let source: string;
  let bytes: number;

  beforeEach(async () => {
    root = await temporaryFolder();
    env = { VIRNUCPRO_CACHE_DIR: path.join(root, 'cache'), XDG_CACHE_HOME: path.join(root, 'shared') };
    source = await writeSmallEsm2(path.join(root, 'usb'));
    bytes = (await stat(path.join(source, 'model.safetensors'))).size;
  });
  const target = (): string => path.join(root, 'cache/models/esm2-8m');

  it('is known by its sizes and hard-linked into our cache; to remove it frees nothing while the other is there', async () => {
    await copyFile('package.json', path.join(source, 'unrelated.json'));
    const imported = await importModel({ source, env });
    assert.equal(imported.name, 'esm2-8m');
    assert.equal(imported.path, target());
    assert.equal(imported.copied, 0);
    assert.deepEqual((await readdir(target())).sort(), [
      'config.json',
      'model.safetensors',
      'virnucpro-model.json',
      'vocab.txt',
    ]);
    const linked = [source, target()].map((folder) => stat(path.join(folder, 'model.safetensors')));
    assert.equal((await linked[0]!).ino, (await linked[1]!).ino);
    assert.equal((await readModelRecord(target()))?.source, source);

    const listed = (await listModels(env)).find(({ name }) => name === 'esm2-8m')!;
    const small = await Promise.all(['config.json', 'vocab.txt'].map((name) => stat(path.join(source, name))));
    const all = bytes + small.reduce((sum, { size }) => sum + size, 0);
    assert.deepEqual(listed, {
      name: 'esm2-8m',
      repo: REPO,
      present: true,
      place: 'cache',
      path: target(),
      bytes: all,
    });

    const record = (await stat(path.join(target(), 'virnucpro-model.json'))).size;
    assert.deepEqual(await removeModel('esm2-8m', env), { path: target(), freed: record, kept: all });
    assert.deepEqual(await readdir(path.join(root, 'cache/models')), []);
    await access(path.join(source, 'model.safetensors'));
  });

  it('frees its bytes when nobody else has them', async () => {
    const folder = await writeSmallEsm2(target());
    const { freed, kept } = await removeModel(REPO, env);
    assert.ok(freed > bytes && freed < bytes + 1000, String(freed));
    assert.equal(kept, 0);
    await assert.rejects(access(folder));
  });

  it('may be a hub cache of links, or one checkpoint file', async () => {
    const snapshot = path.join(root, 'snapshot');
    await mkdir(snapshot);
    for (const name of ['config.json', 'vocab.txt', 'model.safetensors']) {
      await symlink(path.join(source, name), path.join(snapshot, name));
    }
    await importModel({ source: snapshot, name: REPO, env });
    assert.ok((await readFile(path.join(target(), 'vocab.txt'))).length > 0);
    await removeModel('esm2-8m', env);
    await importModel({ source: path.join(snapshot, 'model.safetensors'), env });
    assert.ok((await stat(path.join(target(), 'model.safetensors'))).isFile());
  });

  it('must be what it is called, and is never half there', async () => {
    const refused = async (request: { source: string; name?: string }, pattern: RegExp): Promise<void> => {
      await assert.rejects(importModel({ ...request, env }), pattern);
      assert.deepEqual(await readdir(path.join(root, 'cache/models')).catch(() => []), []);
    };
    await refused({ source, name: 'esm2-35m' }, /checkpoint is esm2, hidden 320, .* expected esm2, hidden 480/);
    await refused({ source, name: 'esm3' }, /no model 'esm3'/);
    await refused({ source: path.join(root, 'nowhere') }, /^ModelError: no such file or folder/);
    await refused(
      { source: `${MODELS}/esm2-tiny` },
      /^OptionError: cannot tell which model it is \(esm2, hidden 80, 3 layers\).*--name/,
    );
  });

  it('does not take the place of another', async () => {
    await importModel({ source, env });
    await assert.rejects(importModel({ source, env }), /already in our cache .*virnucpro models rm esm2-8m/);
  });
});

describe('models that are not ours to remove', () => {
  it('are named by the folder to remove by hand', async () => {
    const root = await temporaryFolder();
    const env: NodeJS.ProcessEnv = { VIRNUCPRO_CACHE_DIR: path.join(root, 'cache'), HF_HOME: path.join(root, 'hf') };
    await assert.rejects(removeModel('esm2-8m', env), /model esm2-8m is not on this machine/);
    const repository = path.join(root, `hf/hub/models--${REPO.replace('/', '--')}`);
    await mkdir(path.join(repository, 'refs'), { recursive: true });
    await mkdir(path.join(repository, 'snapshots/main'), { recursive: true });
    await writeFile(path.join(repository, 'refs/main'), 'main');
    await assert.rejects(removeModel('esm2-8m', env), (error: ModelError) => {
      assert.equal(error.where, repository);
      assert.match(error.next, /by hand/);
      return true;
    });
    env['VIRNUCPRO_MODELS'] = path.join(root, 'mine');
    await mkdir(path.join(root, 'mine/esm2-8m'), { recursive: true });
    await assert.rejects(removeModel('esm2-8m', env), (error: ModelError) => {
      assert.equal(error.where, path.join(root, 'mine/esm2-8m'));
      return true;
    });
    const listed = (await listModels(env)).find(({ name }) => name === 'esm2-8m')!;
    assert.equal(listed.place, 'VIRNUCPRO_MODELS');
    assert.match(listed.problem!, /folder without a checkpoint/);
  });
});
