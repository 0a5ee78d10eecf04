import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InternalError, OptionError, StorageError } from '../../../src/contract/failures.js';
import { Scratch } from '../../../src/io/scratch.js';
import { temporaryFolder } from '../../support/tiny-models.js';

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('io/scratch', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await temporaryFolder();
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  const keep = (scratch: Scratch, text: string): Promise<string> =>
    scratch.withFolder(async (folder) => {
      await writeFile(path.join(folder, 'file'), text);
      return scratch.keep(path.join(folder, 'file'), digestOf(text));
    });
  const age = (file: string, minutes: number): Promise<void> =>
    utimes(file, new Date(Date.now() - minutes * 60_000), new Date(0));
  const copies = async (): Promise<string[]> => (await readdir(path.join(dir, 'by-digest'))).sort();

  it('keeps a copy by its digest, for every process of the host', async () => {
    const [one, other] = [new Scratch(dir), new Scratch(dir)];
    assert.equal(await one.find(digestOf('text')), undefined);
    const file = await keep(one, 'text');
    assert.equal(await other.find(digestOf('text')), file);
    const again = await Promise.all(Array.from({ length: 8 }, () => keep(other, 'text')));
    assert.deepEqual(new Set(again), new Set([file]));
    assert.equal(await readFile(file, 'utf8'), 'text');
    assert.deepEqual(await readdir(path.join(dir, 'work')), []);
  });

  it('does not believe a copy that is damaged, nor a digest that is none', async () => {
    const scratch = new Scratch(dir);
    await writeFile(await keep(scratch, 'text'), 'tex');
    assert.equal(await scratch.find(digestOf('text')), undefined);
    assert.deepEqual(await copies(), []);
    await assert.rejects(scratch.find('../../etc/passwd'), InternalError);
  });

  it('removes what was not asked for for longest, down to its limit; not what was asked for just now', async () => {
    const texts = ['a', 'b', 'c', 'd', 'e'].map((letter) => letter.repeat(100));
    for (const [i, text] of texts.entries()) await age(await keep(new Scratch(dir), text), 60 - i);
    const asked = new Scratch(dir);
    assert.ok(await asked.find(digestOf(texts[0]!)));
    await new Scratch(dir, 250).withFolder(async () => {});
    assert.deepEqual(await copies(), [texts[0]!, texts[4]!].map(digestOf).sort());
    // All of them in use: more than the limit.
    await new Scratch(dir, 0).withFolder(async () => {});
    assert.deepEqual(await copies(), [digestOf(texts[0]!)]);
  });

  it('leaves a file in use to whoever uses it', async () => {
    const scratch = new Scratch(dir);
    const copy = await keep(scratch, 'input');
    await scratch.withCopy(copy, 'contigs.fa', async (file) => {
      assert.equal(path.basename(file), 'contigs.fa');
      const { mtimeMs } = await stat(file);
      await scratch.find(digestOf('input'));
      assert.equal((await stat(file)).mtimeMs, mtimeMs, 'others that ask for it change nothing that is watched');
      const handle = await open(copy);
      await age(copy, 60);
      await new Scratch(dir, 0).withFolder(async () => {});
      assert.deepEqual(await copies(), []);
      assert.equal(await readFile(file, 'utf8'), 'input');
      assert.equal(await handle.readFile('utf8'), 'input');
      await handle.close();
    });
    assert.deepEqual(await readdir(path.join(dir, 'work')), []);
  });

  it('removes working folders of processes that were killed, after an hour', async () => {
    for (const name of ['killed', 'busy']) await mkdir(path.join(dir, 'work', name), { recursive: true });
    await writeFile(path.join(dir, 'work', 'killed', 'half'), 'x');
    await age(path.join(dir, 'work', 'killed'), 61);
    await age(path.join(dir, 'work', 'busy'), 2);
    await new Scratch(dir).withFolder(async () => {});
    assert.deepEqual(await readdir(path.join(dir, 'work')), ['busy']);
  });

  it('takes place and limit from the environment', async () => {
    const scratch = Scratch.ofThisHost({ VIRNUCPRO_SCRATCH: dir, VIRNUCPRO_SCRATCH_BYTES: '10' });
    await age(await keep(scratch, 'eleven bytes'), 60);
    await Scratch.ofThisHost({ VIRNUCPRO_CACHE_DIR: dir }).withFolder(async (folder) => {
      assert.equal(path.dirname(folder), path.join(dir, 'scratch', 'work'));
    });
    await Scratch.ofThisHost({ VIRNUCPRO_SCRATCH: dir, VIRNUCPRO_SCRATCH_BYTES: '10' }).withFolder(async () => {});
    assert.deepEqual(await copies(), []);
    assert.throws(() => Scratch.ofThisHost({ VIRNUCPRO_SCRATCH_BYTES: '5GB' }), OptionError);
  });

  it('a disk that fills while a file is written is the storage failing, too; other failures stay what they are', async () => {
    const scratch = new Scratch(dir);
    await assert.rejects(
      scratch.withFolder(() => writeFile('/dev/full', 'text')),
      (error: StorageError) => error instanceof StorageError && /ENOSPC/.test(error.what),
    );
    await assert.rejects(
      scratch.withFolder(() => Promise.reject(new RangeError('else'))),
      RangeError,
    );
  });

  it('a folder that cannot be made is the storage failing, which is waited for', async () => {
    await writeFile(path.join(dir, 'file'), '');
    await assert.rejects(
      new Scratch(path.join(dir, 'file')).withFolder(async () => {}),
      StorageError,
    );
  });
});
