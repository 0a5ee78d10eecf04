import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { choosePorts, isFree, isListening, LOOPBACK, readPorts } from '../../../src/server/ports.js';

describe('server/ports', () => {
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-ports-'))));
  afterEach(() => rm(dir, { recursive: true }));
  const file = (): string => path.join(dir, 'ports.json');

  it('many first choices at once agree, and leave nothing beside the file', async () => {
    const choices = await Promise.all(Array.from({ length: 20 }, () => choosePorts(file())));
    for (const choice of choices) assert.deepEqual(choice, choices[0]);
    assert.deepEqual(await choosePorts(file()), choices[0]);
    assert.deepEqual(await readdir(dir), ['ports.json']);
    assert.equal(new Set(Object.values(choices[0]!)).size, 3);
    for (const port of Object.values(choices[0]!)) assert.ok(port >= 20_000 && port < 32_000);
  });

  it('knows a port that is listened on', async () => {
    const { server } = await choosePorts(file());
    assert.equal(await isFree(server), true);
    assert.equal(await isListening(server), false);
    const listener = createServer();
    await new Promise<void>((resolve) => listener.listen(server, LOOPBACK, resolve));
    assert.equal(await isFree(server), false);
    assert.equal(await isListening(server), true);
    listener.close();
  });

  it('says which file is damaged, and never chooses over it', async () => {
    for (const text of ['', '{', '{"server":1}', '{"server":1,"ui":2,"supervisor":70000}']) {
      await writeFile(file(), text);
      await assert.rejects(readPorts(file()), { name: 'ServerError', where: file() });
      await assert.rejects(choosePorts(file()), { name: 'ServerError', where: file() });
    }
  });
});
