import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BoundedLog } from '../../../src/server/bounded-log.js';

describe('server/bounded-log', () => {
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-log-'))));
  afterEach(() => rm(dir, { recursive: true }));

  it('tells the last lines of this run, not of the one before', async () => {
    const file = path.join(dir, 'a.log');
    await writeFile(file, 'old\n');
    const log = new BoundedLog(file);
    assert.equal(log.tail(), '');
    writeSync(log.fd, 'one\ntwo\nthree\n');
    assert.equal(log.tail(2), 'two\nthree');
    log.close();
    assert.equal(await readFile(file, 'utf8'), 'old\none\ntwo\nthree\n');
  });

  it('starts again when too long, keeping the old text aside', async () => {
    const file = path.join(dir, 'a.log');
    await writeFile(file, 'x'.repeat(100));
    const log = new BoundedLog(file, 99);
    writeSync(log.fd, 'fresh\n');
    assert.equal(log.tail(), 'fresh');
    log.close();
    assert.equal(await readFile(file, 'utf8'), 'fresh\n');
    assert.equal(await readFile(`${file}.1`, 'utf8'), 'x'.repeat(100));
  });
});
