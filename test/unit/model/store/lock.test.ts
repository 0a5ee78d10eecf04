import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '../../../../src/contract/failures.js';
import { type LockOwner, ModelLock, withModelLock } from '../../../../src/model/store/lock.js';
import { temporaryFolder } from '../../../support/tiny-models.js';

describe('ModelLock', () => {
  let file: string;
  beforeEach(async () => {
    file = path.join(await temporaryFolder(), 'models', '.esm2-8m.lock');
  });

  const foreign: LockOwner = { host: 'another-host', pid: 1, token: 'theirs' };
  const hold = async (owner: LockOwner): Promise<void> => {
    await (await ModelLock.take(file)).release();
    await writeFile(file, JSON.stringify(owner));
  };

  it('lets one at a time in, and leaves nothing', async () => {
    let inside = 0;
    let most = 0;
    let turns = 0;
    await Promise.all(
      Array.from({ length: 8 }, () =>
        withModelLock(file, { beatMs: 20, staleMs: 10_000 }, async () => {
          inside += 1;
          most = Math.max(most, inside);
          await sleep(5);
          turns += 1;
          inside -= 1;
        }),
      ),
    );
    assert.deepEqual([most, turns], [1, 8]);
    assert.deepEqual(await readdir(path.dirname(file)), []);
  });

  it('says once whom it waits for, and stops waiting when told to', async () => {
    await hold(foreign);
    const waited: (LockOwner | undefined)[] = [];
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('enough')), 100);
    const taking = ModelLock.take(file, { beatMs: 20, signal: stop.signal, onWait: (owner) => waited.push(owner) });
    await assert.rejects(taking, /enough/);
    assert.deepEqual(waited, [foreign]);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), foreign);
  });

  it('waits for an owner on another host while it is touched, and takes over when it is not any more', async () => {
    await hold(foreign);
    // Its clock is an hour late: only changes count.
    const late = Date.now() / 1000 - 3600;
    let beats = 0;
    const beat = setInterval(() => void utimes(file, late, late + (beats += 1)).catch(() => {}), 50);
    const started = Date.now();
    const lock = ModelLock.take(file, { beatMs: 40, staleMs: 400 });
    await sleep(1200);
    clearInterval(beat);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), foreign);
    const taken = await lock;
    assert.ok(Date.now() - started > 1500);
    await taken.release();
  });

  it('takes over at once from a process of this host that is dead', async () => {
    const mine = await ModelLock.take(file);
    const { host } = JSON.parse(await readFile(file, 'utf8')) as LockOwner;
    await mine.release();
    const pid = Number(execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }));
    await writeFile(file, JSON.stringify({ host, pid, token: 'dead' }));
    const started = Date.now();
    const lock = await ModelLock.take(file);
    assert.ok(Date.now() - started < 1000);
    await lock.release();
  });

  it('a lock whose owner died while writing it is taken over, too', async () => {
    await hold(foreign);
    await writeFile(file, '');
    await (await ModelLock.take(file, { beatMs: 20, staleMs: 100 })).release();
  });

  it('is touched while it is held', async () => {
    const lock = await ModelLock.take(file, { beatMs: 20 });
    const { mtimeMs } = await stat(file);
    await sleep(200);
    assert.ok((await stat(file)).mtimeMs > mtimeMs);
    await lock.release();
  });

  it('an owner that slept too long finds that it has lost it, and leaves the new owner alone', async () => {
    const lock = await ModelLock.take(file, { beatMs: 1_000_000, staleMs: 100 });
    await lock.confirm();
    await writeFile(file, JSON.stringify(foreign));
    await sleep(100);
    await assert.rejects(lock.confirm(), (error: Error) => {
      assert.ok(error instanceof StorageError);
      assert.match(error.message, /suspended, and another took over/);
      return true;
    });
    await lock.release();
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), foreign);
  });
});
