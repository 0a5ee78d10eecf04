import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { listCommand } from '../../../src/cli/list.js';
import { statusCommand, statusText } from '../../../src/cli/status.js';
import { addAllTables } from '../../../src/cli/options/table-command.js';
import { steeringCommands } from '../../../src/cli/steer.js';
import type { RunView } from '../../../src/cli/runs.js';
import { OptionError } from '../../../src/contract/failures.js';
import { temporaryFolder } from '../../support/tiny-models.js';

/** Runs commands in this process; what they would do to a run, or would print, comes back. */
async function cli(...args: string[]): Promise<unknown[]> {
  const done: unknown[] = [];
  const steering = steeringCommands(async () => ({
    cancel: async (run) => void done.push(['cancel', run]),
    sendUpdate: async ({ run, name, argument }) => void done.push([run, name, ...(argument ? [argument] : [])]),
  }));
  const program = new Command('virnucpro');
  for (const command of [statusCommand(), listCommand(), ...steering]) program.addCommand(command);
  await addAllTables(program);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  }
  const { log } = console;
  console.log = (text: string) => void done.push(text);
  try {
    await program.parseAsync(args, { from: 'user' });
  } finally {
    console.log = log;
  }
  return done;
}

const usage = (code: string) => (error: CommanderError) => error instanceof CommanderError && error.code === code;
const refused = (text: RegExp) => (error: OptionError) => error instanceof OptionError && text.test(error.what);

describe('commands to a run', () => {
  it('name the update and its argument', async () => {
    assert.deepEqual(await cli('cancel', 'run-1'), [['cancel', 'run-1']]);
    assert.deepEqual(await cli('pause', 'run-1'), [['run-1', 'pause']]);
    assert.deepEqual(await cli('resume', 'run-1'), [['run-1', 'resume']]);
    assert.deepEqual(await cli('retry-failed', 'run-1'), [['run-1', 'retryFailed']]);
    assert.deepEqual(await cli('drain-lane', 'run-1', 'h/cpu:0'), [['run-1', 'drainLane', { lane: 'h/cpu:0' }]]);
    assert.deepEqual(await cli('set-max-lanes', 'run-1', '12'), [['run-1', 'setMaxLanes', { lanes: 12 }]]);
  });

  it('want a run, and lane or number where these belong; nothing more', async () => {
    const withLane = { 'drain-lane': ['h/cpu:0'], 'set-max-lanes': ['1'] };
    const plain = { cancel: [], pause: [], resume: [], 'retry-failed': [] };
    for (const [name, more] of Object.entries({ ...withLane, ...plain })) {
      await assert.rejects(cli(name), usage('commander.missingArgument'), name);
      await assert.rejects(cli(name, 'run-1', ...more, 'more'), usage('commander.excessArguments'), name);
      await assert.rejects(cli(name, 'run-1', ...more, '--force'), usage('commander.unknownOption'), name);
    }
    for (const name of Object.keys(withLane)) {
      await assert.rejects(cli(name, 'run-1'), usage('commander.missingArgument'), name);
    }
  });

  for (const lanes of ['0', '-1', '1025', '1.5', 'two', '', '1e2']) {
    it(`set-max-lanes refuses ${JSON.stringify(lanes)}, naming it and the bounds`, async () => {
      await assert.rejects(
        cli('set-max-lanes', 'run-1', lanes),
        refused(new RegExp(`^<lanes> is ${JSON.stringify(lanes)}, allowed are whole numbers from 1 to 1024$`)),
      );
    });
  }
});

describe('statusText', () => {
  const lane = { lease: 'a1', host: 'h', device: 'cpu:0', running: 0, done: 0 };
  const idle = { batches: 2, done: 0, failed: 0, frames: 0, tokens: 0, modelLoads: 1, busySeconds: 0 };
  const view: RunView = {
    id: 'run-1',
    open: true,
    state: 'embedding',
    started: '2026-01-02T03:04:05.678Z',
    samples: 1,
    done: 0,
    failed: 0,
    framesQuarantined: 0,
    outputDir: '/out',
    progress: {
      state: 'embedding',
      samples: { total: 1, split: 1, done: 0, failed: 0 },
      frames: 9,
      stages: {
        'dnabert-s': { ...idle, lanes: [{ ...lane, pid: 71, state: 'up' }] },
        'esm-2': { ...idle, lanes: [{ ...lane, pid: 0, state: 'starting' }] },
      },
      warnings: [],
    },
  };

  it('names the process of a lane once it has one', () => {
    assert.deepEqual(statusText(view, '').split('Lanes\n')[1]!.split('\n'), [
      '  dnabert-s  h/cpu:0  up  pid 71  0 batches done',
      '  esm-2  h/cpu:0  starting  0 batches done',
    ]);
  });
});

describe('status and list, where no run ever was', () => {
  let folder: string;
  let before: string | undefined;
  beforeEach(async () => {
    folder = await temporaryFolder();
    before = process.env['VIRNUCPRO_STATE_DIR'];
    process.env['VIRNUCPRO_STATE_DIR'] = path.join(folder, 'state');
  });
  afterEach(async () => {
    if (before === undefined) delete process.env['VIRNUCPRO_STATE_DIR'];
    else process.env['VIRNUCPRO_STATE_DIR'] = before;
    await rm(folder, { recursive: true, force: true });
  });

  it('list says so, in words or as JSON', async () => {
    assert.deepEqual(await cli('list'), ['No runs']);
    assert.deepEqual(await cli('list', '--json'), ['[]']);
    await assert.rejects(cli('list', 'run-1'), usage('commander.excessArguments'));
  });

  it('status names what it looked for', async () => {
    await assert.rejects(cli('status', 'run-1'), refused(/^no run run-1 on this machine$/));
    await assert.rejects(cli('status', 'run-1', '--json'), refused(/^no run run-1 on this machine$/));
    await assert.rejects(cli('status'), refused(/^no run \(there is none\)/));
    await assert.rejects(cli('status', '-o', folder), refused(/^no run has left a record in this folder$/));
    await assert.rejects(cli('status', 'a', 'b'), usage('commander.excessArguments'));
  });

  it('status takes a run or a folder, not both', async () => {
    await assert.rejects(cli('status', 'run-1', '-o', folder), refused(/^a run and --output-dir$/));
    // That of predict is no folder to look into.
    process.env['VIRNUCPRO_OUTPUT_DIR'] = folder;
    try {
      await assert.rejects(cli('status', 'run-1'), refused(/^no run run-1 on this machine$/));
    } finally {
      delete process.env['VIRNUCPRO_OUTPUT_DIR'];
    }
  });
});
