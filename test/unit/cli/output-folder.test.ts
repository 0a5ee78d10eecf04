import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeOutputFolder } from '../../../src/cli/output-folder.js';

describe('makeOutputFolder', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-out-'))));
  after(() => rm(dir, { recursive: true }));

  it('makes it with those above it, and takes one that is there', async () => {
    const folder = path.join(dir, 'a', 'b');
    assert.equal(await makeOutputFolder(folder), folder);
    assert.equal(await makeOutputFolder(folder), folder);
    assert.ok((await stat(folder)).isDirectory());
  });

  it('names a file in its place, and one above it', async () => {
    const file = path.join(dir, 'file');
    await writeFile(file, '');
    for (const where of [file, path.join(file, 'below')]) {
      await assert.rejects(makeOutputFolder(where), {
        name: 'OptionError',
        where,
        what: 'the output folder, or one above it, is a file',
      });
    }
  });
});
