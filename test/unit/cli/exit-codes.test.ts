import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { ExitWith, Interrupted, runCli } from '../../../src/cli/run.js';
import * as failures from '../../../src/contract/failures.js';
import { callCli } from '../../support/cli.js';
import { eventually } from '../../support/processes.js';

const PROBLEM = { what: 'what is wrong', where: 'a.fa', next: 'what to do' };

/** Exit code and standard error of a command that throws `error`. */
async function endsWith(error: unknown): Promise<{ code: unknown; stderr: string }> {
  const before = process.exitCode;
  const { write } = process.stderr;
  const listeners = process.stdout.listeners('error');
  let stderr = '';
  process.stderr.write = (text) => ((stderr += String(text)), true);
  try {
    const program = new Command('virnucpro').action(() => {
      throw error;
    });
    await runCli(program, ['node', 'virnucpro']);
    return { code: process.exitCode, stderr };
  } finally {
    process.stderr.write = write;
    process.exitCode = before;
    for (const added of process.stdout.listeners('error').slice(listeners.length)) {
      process.stdout.off('error', added as () => void);
    }
  }
}

describe('exit codes', () => {
  it('2 for wrong usage, 4 out of memory, 1 for every other class of failures, in two lines: what, then what to do', async () => {
    const { VirnucproError, RunFailed, InternalError, ...classes } = failures;
    const errors = [
      ...Object.values(classes).map((FailureClass) => new FailureClass(PROBLEM)),
      new InternalError('cannot be', 'a.fa'),
      new RunFailed('InputError', PROBLEM),
      new RunFailed('OutOfMemory', PROBLEM),
    ];
    assert.ok(errors.every((error) => error instanceof VirnucproError));
    const codes: Record<string, unknown> = {};
    for (const error of errors) {
      const { code, stderr } = await endsWith(error);
      assert.equal(stderr, `error: a.fa: ${error.what}\n${error.next}\n`);
      codes[error instanceof RunFailed ? `RunFailed ${error.type}` : error.name] = code;
    }
    const others = Object.fromEntries(Object.keys(codes).map((name) => [name, 1]));
    assert.deepEqual(codes, { ...others, OptionError: 2, OutOfMemory: 4, 'RunFailed OutOfMemory': 4 });
  });

  it("a command's own in place of 1, never in place of another", async () => {
    assert.equal((await endsWith(new ExitWith(3, new failures.InputError(PROBLEM)))).code, 3);
    assert.equal((await endsWith(new ExitWith(3, new failures.OutOfMemory(PROBLEM)))).code, 4);
    assert.equal((await endsWith(new ExitWith(3, new Interrupted(143)))).code, 143);
  });

  it('2 for a misspelt flag, in two lines with the nearest one', () => {
    const { code, stderr } = callCli(['split', 'a.fa', '--expected-lenght', '300']);
    assert.equal(code, 2);
    assert.equal(
      stderr,
      "error: unknown option '--expected-lenght' (did you mean --expected-length?)\nSee virnucpro split --help\n",
    );
  });

  it('1 with its stack for a bug', async () => {
    const { code, stderr } = await endsWith(new TypeError('x is not a function'));
    assert.equal(code, 1);
    assert.match(stderr, /^TypeError: x is not a function\n +at .*This is a bug, please report it\.\n$/s);
  });

  for (const [why, args] of [
    ['an unknown command', ['prediction']],
    ['an unknown flag', ['predict', 'a.fa', '--no-such-flag']],
    ['a value that is not allowed', ['predict', 'a.fa', '--lanes', '0']],
    ['a model that no one knows', ['predict', 'README.md', '-p', 'package.json', '--dna-model', 'dnabert-9']],
    ['a model that no one knows, to pull', ['models', 'pull', 'nope']],
    ['a shell that no one knows', ['completion', 'tcsh']],
    ['a role that no one knows', ['worker', '--roles', 'cook']],
    ['a tolerance that is no number', ['compare', 'a', 'b', '--tolerance', 'x']],
    ['a configuration file that is not there, named in front', ['-c', 'none.yaml', 'predict', 'a.fa']],
    ['a flag of predict in front of another command', ['-q', 'server', 'status']],
  ] as const) {
    it(`2 for ${why}`, () => {
      const { code, stderr } = callCli(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^error: /m);
    });
  }

  it('1 for a file that is not there or is no FASTA, 0 for help and version', () => {
    assert.equal(callCli(['predict', 'nowhere.fa']).code, 1);
    assert.equal(callCli(['utils', 'validate', 'package.json']).code, 1);
    for (const args of [['--help'], ['--version'], ['predict', '--help']]) assert.equal(callCli(args).code, 0);
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`${code} on ${signal}`, async () => {
      const dir = await mkdtemp(path.join(tmpdir(), 'vnp-exit-codes-'));
      const main = path.resolve('dist/src/cli/main.js');
      // Standard input stays open: it waits for more.
      const child = spawn(process.execPath, [main, 'split', '-', '-o', dir], { stdio: ['pipe', 'ignore', 'inherit'] });
      const exited = once(child, 'exit');
      await eventually(async () => (await readdir(dir)).length > 0, 30_000);
      child.kill(signal);
      // A closing terminal says so twice, and everything is tidied up all the same.
      if (signal === 'SIGHUP') child.kill(signal);
      assert.deepEqual(await exited, [code, null]);
      assert.deepEqual(await readdir(dir), []);
      await rm(dir, { recursive: true });
    });
  }

  it('are in README.md, each', async () => {
    const readme = await readFile('README.md', 'utf8');
    const table = readme.slice(readme.indexOf('## Exit codes'));
    for (const code of [0, 1, 2, 3, 4, 130]) assert.match(table, new RegExp(`^\\| ${code} +\\|`, 'm'));
  });
});
