import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { goldenCases } from '../../support/golden.js';

const PROGRAM = `
  import { Command } from 'commander';
  import { runCli } from './dist/src/cli/run.js';
  import { splitCommand } from './dist/src/cli/split.js';
  await runCli(new Command('virnucpro').version('1.2.3').addCommand(splitCommand()), process.argv);
`;

/** Runs the command line in a process of its own. */
function virnucpro(
  args: string[],
  stdin: string | Uint8Array = '',
): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', PROGRAM, 'virnucpro', ...args]);
    let out = '';
    let err = '';
    child.stdout.on('data', (text: Buffer) => (out += text.toString()));
    child.stderr.on('data', (text: Buffer) => (err += text.toString()));
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.end(stdin);
  });
}

describe('cli/split', () => {
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-cli-'))));
  afterEach(() => rm(dir, { recursive: true }));

  it('splits standard input, plain or gzipped', async () => {
    const { dir: folder } = goldenCases[0]!;
    const text = await readFile(`${folder}/input.fa`);
    for (const stdin of [text, gzipSync(text)]) {
      const { code, out } = await virnucpro(['split', '-', '-e', '500', '-o', dir], stdin);
      assert.equal(code, 0);
      assert.match(out, /^13 records, 8889 bases: 26 chunks, 5 without an open frame, 57 frames\n/);
      assert.deepEqual(await readFile(path.join(dir, 'stdin_chunked500.fa')), await readFile(`${folder}/chunked.fa`));
    }
  });

  it('exits 1 with two lines for a bad input, and leaves nothing', async () => {
    const { code, err } = await virnucpro(['split', '-', '-o', dir], '@r\nAC\n+\nII\n');
    assert.equal(code, 1);
    assert.equal(
      err,
      'error: standard input, line 1: not FASTA but FASTQ\n' +
        'Convert it first: seqkit fq2fa in.fq > in.fa, or seqtk seq -a in.fq > in.fa\n',
    );
    assert.deepEqual(await readdir(dir), []);
  });

  it('renames repeated records with --rename-duplicates', async () => {
    const text = '>a\nATGAAA\n>a\nATGCCC\n';
    assert.equal((await virnucpro(['split', '-', '-o', dir], text)).code, 1);
    assert.equal((await virnucpro(['split', '-', '-o', dir, '--rename-duplicates'], text)).code, 0);
    const chunks = await readFile(path.join(dir, 'stdin_chunked500.fa'), 'utf8');
    assert.equal(chunks, '>a_chunk_1\nATGAAA\n>a_2_chunk_1\nATGCCC\n');
  });

  it('leaves nothing when it is interrupted', async () => {
    const child = spawn(process.execPath, [
      '--input-type=module',
      '--eval',
      PROGRAM,
      'virnucpro',
      'split',
      '-',
      '-o',
      dir,
    ]);
    child.stdin.write('>a\nACGT\n');
    while ((await readdir(dir)).length < 3) await setTimeout(20);
    const closed = once(child, 'close');
    child.kill('SIGINT');
    assert.deepEqual(await closed, [130, null]);
    assert.deepEqual(await readdir(dir), []);
  });

  it('exits 2 for wrong usage', async () => {
    const wrong = await virnucpro(['split', '-', '-e', '5o0']);
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /^error: --expected-length is "5o0", allowed are whole numbers from 3 to 10000\n.*\n$/);
    assert.equal((await virnucpro(['split'])).code, 2);
    assert.equal((await virnucpro(['split', '-', '--no-such-flag'])).code, 2);
    assert.equal((await virnucpro(['no-such-command'])).code, 2);
  });

  it('exits 0 for help and version', async () => {
    assert.equal((await virnucpro(['split', '--help'])).code, 0);
    const { code, out } = await virnucpro(['--version']);
    assert.deepEqual([code, out], [0, '1.2.3\n']);
  });
});
