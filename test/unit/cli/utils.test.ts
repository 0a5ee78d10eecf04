import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { callCli } from '../../support/cli.js';

describe('cli/utils', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-utils-'))));
  after(() => rm(dir, { recursive: true }));

  const utils = (...args: string[]): ReturnType<typeof callCli> => callCli(['utils', ...args], dir);

  it('validate counts what a good file holds, also nothing', async () => {
    await writeFile(path.join(dir, 'good.fa'), '>a\nACGT\nAC\n>b\nNN\n');
    assert.deepEqual(utils('validate', 'good.fa'), {
      code: 0,
      stdout: 'good.fa is good: 2 records, 8 bases; shortest 2, longest 6, mean 4\n',
      stderr: '',
    });
    await writeFile(path.join(dir, 'empty.fa'), '');
    assert.equal(utils('validate', 'empty.fa').stdout, 'empty.fa is good: 0 records, 0 bases\n');
  });

  it('validate names line and record of the first problem', async () => {
    await writeFile(path.join(dir, 'bad.fa'), '>a\nACGT\n>b\nAC1T\n');
    const { code, stderr } = utils('validate', 'bad.fa');
    assert.equal(code, 1);
    assert.match(stderr, /^error: bad\.fa, line 4, record b: /);
  });

  it('generate-config writes a file that predict takes, and never over another', async () => {
    assert.equal(utils('generate-config', '-o', 'c.yaml').stdout, 'c.yaml\n');
    assert.match(await readFile(path.join(dir, 'c.yaml'), 'utf8'), /^lanes: 1$/m);
    const again = utils('generate-config', '-o', 'c.yaml');
    assert.deepEqual([again.code, again.stderr.split('\n')[0]], [2, 'error: c.yaml: there is such a file already']);
  });
});
