import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ModelError, OptionError } from '../../../src/contract/failures.js';
import { CATALOGUE, resolveModel } from '../../../src/model/catalogue.js';
import { MODELS, temporaryFolder } from '../../support/tiny-models.js';

const EXPECTED = { kind: 'esm2', hidden: 320, layers: 6, heads: 20 };

describe('resolveModel', () => {
  it('takes a path as it is', async () => {
    assert.deepEqual(await resolveModel(`${MODELS}/esm2-tiny`, {}), { path: `${MODELS}/esm2-tiny` });
  });

  it('looks in VIRNUCPRO_MODELS, then in our cache, then in the hub cache', async () => {
    const root = await temporaryFolder();
    const env = { VIRNUCPRO_MODELS: path.join(root, 'models'), XDG_CACHE_HOME: path.join(root, 'cache') };
    const hub = path.join(root, 'cache/huggingface/hub/models--facebook--esm2_t6_8M_UR50D');
    const places = [
      path.join(hub, 'snapshots/f00d'),
      path.join(root, 'cache/virnucpro/models/esm2-8m'),
      path.join(root, 'models/esm2-8m'),
    ];
    await mkdir(path.join(hub, 'refs'), { recursive: true });
    await writeFile(path.join(hub, 'refs/main'), 'f00d\n');
    for (const place of places) {
      await mkdir(place, { recursive: true });
      assert.deepEqual(await resolveModel('esm2-8m', env), { path: place, expected: EXPECTED });
      assert.equal((await resolveModel('facebook/esm2_t6_8M_UR50D', env)).path, place);
    }
    const elsewhere = { ...env, VIRNUCPRO_MODELS: '', XDG_CACHE_HOME: '/nowhere', HF_HUB_CACHE: path.dirname(hub) };
    assert.equal((await resolveModel('ESM2-8M', elsewhere)).path, places[0]);
    const home = { XDG_CACHE_HOME: '/nowhere', HF_HOME: path.join(root, 'cache/huggingface') };
    assert.equal((await resolveModel('esm2-8m', home)).path, places[0]);
  });

  it('says where it looked and how to get the model', async () => {
    const env = { VIRNUCPRO_MODELS: '/models', XDG_CACHE_HOME: '/cache' };
    await assert.rejects(resolveModel('dnabert-s', env), (error: Error) => {
      assert.ok(error instanceof ModelError);
      const hub = '/cache/huggingface/hub/models--zhihan1996--DNABERT-S';
      assert.equal(error.where, `/models/dnabert-s, /cache/virnucpro/models/dnabert-s, ${hub}`);
      assert.match(error.next, /virnucpro models pull dnabert-s.*virnucpro models import DIR/);
      return true;
    });
  });

  it('lists the names it knows when it knows no such name', async () => {
    await assert.rejects(resolveModel('esm3', {}), (error: Error) => {
      assert.ok(error instanceof OptionError);
      assert.ok(error.message.includes(Object.keys(CATALOGUE).join(', ')));
      return true;
    });
  });
});
