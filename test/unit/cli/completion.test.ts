import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { completionScript } from '../../../src/cli/completion/scripts.js';
import { RETIRED_FLAGS } from '../../../src/cli/options/retired-flags.js';
import { wholeProgram } from '../../../src/cli/program.js';
import { callCli } from '../../support/cli.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** A command and all below it. */
function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** A test that needs a shell; skipped, with the reason in its title, where it is not installed. */
function itWith(shell: string, title: string, test: () => void): void {
  const isHere = spawnSync(shell, ['-c', 'true']).status === 0;
  if (isHere) it(`${shell}: ${title}`, test);
  else it.skip(`${shell}: ${title} (skipped: no ${shell} here)`, test);
}

describe('cli/completion', () => {
  let dir: string;
  let program: Command;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-completion-'));
    program = await wholeProgram();
    for (const shell of SHELLS) await writeFile(path.join(dir, shell), completionScript(program, shell));
  });
  after(() => rm(dir, { recursive: true }));

  /** What bash offers for the last of `words`. */
  const bashOffers = (...words: string[]): string[] => {
    const code = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _virnucpro
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const out = execFileSync('bash', ['--norc', '-c', code, 'bash', path.join(dir, 'bash'), 'virnucpro', ...words]);
    return out
      .toString()
      .split('\n')
      .filter((line) => line !== '');
  };

  for (const shell of SHELLS) {
    it(`${shell}: every command and every long option that is not retired is in the script`, () => {
      const script = completionScript(program, shell);
      const retired = Object.keys(RETIRED_FLAGS).flatMap((flags) => flags.match(/--[\w-]+/g)!);
      const commands = allCommands(program);
      assert.ok(commands.length > 20);
      for (const command of commands) {
        if (command !== program) assert.match(script, new RegExp(`\\b${command.name()}\\b`));
        for (const { long } of command.options) {
          if (long === undefined || retired.includes(long)) continue;
          const word = shell === 'fish' ? `-l ${long.slice(2)}` : long;
          assert.match(script, new RegExp(`${word}(?![\\w-])`), `${command.name()} ${long}`);
        }
      }
      for (const long of retired) assert.ok(!new RegExp(`${long}(?![\\w-])`).test(script), long);
    });

    itWith(shell, 'takes the script', () => {
      execFileSync(shell, ['-n', path.join(dir, shell)]);
    });
  }

  it('bash completes a command', () => {
    assert.deepEqual(bashOffers('pre'), ['predict']);
    assert.deepEqual(bashOffers('se'), ['server', 'set-max-lanes']);
    assert.deepEqual(bashOffers('').sort(), program.commands.map((command) => command.name()).sort());
  });

  it('bash completes what stands behind a command: commands, options, choices', () => {
    assert.deepEqual(bashOffers('server', 'sta'), ['start', 'status']);
    assert.deepEqual(bashOffers('utils', 'v'), ['validate', 'validate-checkpoints']);
    assert.deepEqual(bashOffers('predict', 'a.fa', '--keep-'), [
      '--keep-intermediate',
      '--keep-embeddings',
      '--keep-warm',
    ]);
    assert.deepEqual(bashOffers('predict', '--no-p').sort(), ['--no-persistent-models', '--no-progress']);
    assert.deepEqual(bashOffers('predict', '--model-type', ''), ['300', '500', 'custom']);
    assert.deepEqual(bashOffers('predict', '-m', '5'), ['500']);
    assert.deepEqual(bashOffers('completion', ''), ['bash', 'zsh', 'fish']);
    assert.deepEqual(bashOffers('server', 'start', '--t'), ['--temporal-cli', '--threads']);
  });

  it('bash tells options of one name apart by their command', () => {
    assert.deepEqual(bashOffers('status', '--o'), ['--output-dir']);
    assert.deepEqual(bashOffers('server', 'status', '--o'), []);
  });

  it('bash offers nothing of its own where a file is meant', () => {
    assert.deepEqual(bashOffers('predict', '-o', 'sta'), []);
    assert.deepEqual(bashOffers('predict', 'cont'), []);
  });

  itWith('fish', 'completes the same', () => {
    const offers = (line: string): string[] => {
      const code = `source ${path.join(dir, 'fish')}; complete -C '${line}'`;
      const lines = execFileSync('fish', ['--no-config', '-c', code], { cwd: dir }).toString().trimEnd().split('\n');
      return lines.map((offer) => offer.split('\t')[0]!).sort();
    };
    assert.deepEqual(offers('virnucpro pre'), ['predict']);
    assert.deepEqual(offers('virnucpro server sta'), ['start', 'status']);
    assert.deepEqual(offers('virnucpro predict --model-type '), ['300', '500', 'custom']);
    assert.deepEqual(offers('virnucpro server status --'), ['--help', '--json']);
    assert.deepEqual(offers('virnucpro predict ba'), ['bash']);
  });

  it('the command prints the script', () => {
    const { code, stdout } = callCli(['completion', 'bash']);
    assert.deepEqual([code, stdout], [0, completionScript(program, 'bash')]);
    assert.equal(callCli(['completion', 'csh']).code, 2);
  });
});
