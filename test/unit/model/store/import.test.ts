import assert from 'node:assert/strict';
import { access, copyFile, mkdir, readFile, readdir, rename, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ModelError } from '../../../../src/contract/failures.js';
import type { Precision } from '../../../../src/contract/models.js';
import { weightsDigest } from '../../../../src/model/content-digest.js';
import { openModel } from '../../../../src/model/model.js';
import { reducedWeights } from '../../../../src/model/reduced-weights.js';
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
      reducedBytes: 0,
    });

    const record = (await stat(path.join(target(), 'virnucpro-model.json'))).size;
    assert.deepEqual(await removeModel('esm2-8m', env), {
      path: target(),
      freed: record,
      reduced: 0,
      kept: all,
    });
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

  it('takes along the reduced weights that were made of it, and no others', async () => {
    const cacheDir = path.join(root, 'cache');
    await writeSmallEsm2(target());
    const [int8, fp16, others] = [
      await makeReduced(target(), 'int8', cacheDir),
      await makeReduced(target(), 'fp16', cacheDir),
      await makeReduced(await writeSmallEsm2(path.join(root, 'esm2-8m'), 2), 'int8', cacheDir),
    ];
    const reduced = int8.bytes + fp16.bytes;
    const reducedBytes = async (): Promise<number[]> =>
      (await listModels(env)).filter(({ name }) => name === 'esm2-8m').map((model) => model.reducedBytes);
    assert.deepEqual(await reducedBytes(), [reduced]);
    const removed = await removeModel('esm2-8m', env);
    assert.equal(removed.reduced, reduced);
    assert.ok(removed.freed > reduced + bytes && removed.freed < reduced + bytes + 1000, String(removed.freed));
    assert.deepEqual(await readdir(path.join(cacheDir, 'reduced')), [others.name]);
    assert.deepEqual(await reducedBytes(), [0]);
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

/** Writes a model's reduced weights; returns their folder's name and what it takes. */
async function makeReduced(
  model: string,
  precision: Precision,
  cacheDir: string,
): Promise<{ name: string; bytes: number }> {
  const { graph, checkpoint } = await openModel(model, cacheDir, undefined, precision);
  const folder = await reducedWeights(graph.reduced!, await weightsDigest(checkpoint, cacheDir), cacheDir);
  const sizes = await Promise.all((await readdir(folder)).map((file) => stat(path.join(folder, file))));
  return { name: path.basename(folder), bytes: sizes.reduce((sum, { size }) => sum + size, 0) };
}

describe('models that are not ours to remove', () => {
  for (const place of ['a hub cache', 'VIRNUCPRO_MODELS']) {
    it(`leave only reduced weights to remove: of one in ${place}, also by a link`, async () => {
      const root = await temporaryFolder();
      await mkdir(path.join(root, 'real'));
      await symlink(path.join(root, 'real'), path.join(root, 'link'));
      const env: NodeJS.ProcessEnv = {
        VIRNUCPRO_CACHE_DIR: path.join(root, 'link/cache'),
        HF_HOME: path.join(root, 'link/hf'),
        ...(place === 'VIRNUCPRO_MODELS' && { VIRNUCPRO_MODELS: path.join(root, 'link/mine') }),
      };
      const snapshot = path.join(root, `link/hf/hub/models--${REPO.replace('/', '--')}/snapshots/main`);
      const folder = place === 'VIRNUCPRO_MODELS' ? path.join(root, 'link/mine/esm2-8m') : snapshot;
      await writeSmallEsm2(folder);
      if (folder === snapshot) {
        const blob = path.join(snapshot, '../../blobs/0123');
        await mkdir(path.dirname(blob));
        await rename(path.join(snapshot, 'model.safetensors'), blob);
        await symlink(blob, path.join(snapshot, 'model.safetensors'));
        await mkdir(path.join(snapshot, '../../refs'));
        await writeFile(path.join(snapshot, '../../refs/main'), 'main');
      }
      const { bytes } = await makeReduced(folder, 'int8', env['VIRNUCPRO_CACHE_DIR']!);
      const removed = { path: undefined, freed: bytes, reduced: bytes, kept: 0 };
      assert.deepEqual(await removeModel('esm2-8m', env), removed);
      await access(path.join(folder, 'model.safetensors'));
      await assert.rejects(removeModel('esm2-8m', env), /model esm2-8m is not in our cache/);
    });
  }

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
