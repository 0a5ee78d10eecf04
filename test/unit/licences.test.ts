import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const SCRIPT = path.resolve('scripts/licences.mjs');

function check(cwd: string, ...args: string[]): { status: number | null; stderr: string } {
  return spawnSync(process.execPath, [SCRIPT, ...args], { cwd, encoding: 'utf8' });
}

describe('scripts/licences.mjs', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-licences-'));
    await mkdir(path.join(dir, 'docs'));
  });
  after(() => rm(dir, { recursive: true }));

  it("has nothing to say of this package's dependencies: all are permissive, and docs/licences.md lists them", () => {
    const { status, stderr } = check('.');
    assert.deepEqual([status, stderr], [0, '']);
  });

  it('refuses a licence that is not allowed, one that is missing, and a page that is not of today', async () => {
    const lock = (packages: object): Promise<void> =>
      writeFile(path.join(dir, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...packages } }));
    const of = (license?: string, dev = false): object => ({ version: '1.0.0', dev, ...(license && { license }) });

    await lock({ 'node_modules/a': of('(GPL-3.0-only OR MIT)'), 'node_modules/b': of('GPL-3.0-only', true) });
    assert.equal(check(dir, '--write').status, 0);
    assert.equal(check(dir).status, 0);

    for (const licence of ['GPL-3.0-only', 'MIT AND GPL-3.0-only', undefined]) {
      await lock({ 'node_modules/a/node_modules/@c/d': of(licence) });
      const { status, stderr } = check(dir, '--write');
      assert.equal(status, 1);
      assert.match(stderr, /^@c\/d 1\.0\.0: (GPL|MIT AND|no licence given)/);
    }

    await lock({ 'node_modules/a': of('MIT') });
    const { status, stderr } = check(dir);
    assert.equal(status, 1);
    assert.match(stderr, /docs\/licences\.md is not the list of today's packages/);
  });
});
