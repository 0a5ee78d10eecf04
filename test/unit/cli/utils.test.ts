import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
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

  it('validate names as many problems as asked for, and counts them all', async () => {
    await writeFile(path.join(dir, 'worse.fa'), '>a\nAC1T\n>b\nAC\n>a\nGT\n>c\nA2\n');
    const all = utils('validate', 'worse.fa');
    assert.equal(all.code, 1);
    assert.deepEqual(
      all.stderr.split('\n').map((line) => line.split(';')[0]),
      [
        'worse.fa, line 2, record a: letter 1 is no nucleotide',
        'worse.fa, line 5, record a: this id is used by an earlier record',
        'worse.fa, line 8, record c: letter 2 is no nucleotide',
        'error: worse.fa: 3 problems in 4 records',
        'Correct them',
        '',
      ],
    );
    const { stderr } = utils('validate', '-e', '2', 'worse.fa');
    assert.equal(stderr.split('\n')[2], 'error: worse.fa: 3 problems in 4 records, of which the first 2 are above');
    assert.equal(utils('validate', '-e', '0', 'worse.fa').code, 2);
  });

  it('validate names what it found before the file breaks off, too', async () => {
    const whole = gzipSync(`>a\nAC1T\n>b\n${'ACGT'.repeat(50_000)}\n`);
    await writeFile(path.join(dir, 'cut.fa.gz'), whole.subarray(0, whole.length - 20));
    const { code, stderr } = utils('validate', 'cut.fa.gz');
    assert.equal(code, 1);
    assert.match(stderr, /^cut\.fa\.gz, line 2, record a: .*\ncut\.fa\.gz.*\nerror: cut\.fa\.gz: 2 problems/);
  });

  it('generate-config writes a file that predict takes, and never over another', async () => {
    assert.equal(utils('generate-config', '-o', 'c.yaml').stdout, 'c.yaml\n');
    assert.match(await readFile(path.join(dir, 'c.yaml'), 'utf8'), /^lanes: 1$/m);
    const again = utils('generate-config', '-o', 'c.yaml');
    assert.deepEqual([again.code, again.stderr.split('\n')[0]], [2, 'error: c.yaml: there is such a file already']);
  });
});
