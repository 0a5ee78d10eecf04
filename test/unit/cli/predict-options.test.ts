import assert from 'node:assert/strict';
import { CommanderError } from 'commander';
import { type PredictOptions, parsePredictOptions } from '../../../src/cli/predict-options.js';
import { predictCommand } from '../../../src/cli/predict.js';
import { OptionError } from '../../../src/contract/failures.js';

/** The options of `virnucpro predict a.fa -p model.pth` with `args`. */
async function options(...args: string[]): Promise<PredictOptions> {
  let parsed: PredictOptions | undefined;
  const command = predictCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .action((_: string[], raw: unknown) => void (parsed = parsePredictOptions(raw)));
  await command.parseAsync(['a.fa', '-p', 'model.pth', ...args], { from: 'user' });
  return parsed!;
}

describe('options of predict', () => {
  it('models are persistent by default', async () => {
    assert.equal((await options()).persistentModels, true);
  });

  it('--persistent-models says the same, --no-persistent-models the contrary, the last of both counts', async () => {
    const [yes, no] = ['--persistent-models', '--no-persistent-models'];
    assert.equal((await options(yes)).persistentModels, true);
    assert.equal((await options(no)).persistentModels, false);
    assert.equal((await options(no, yes)).persistentModels, true);
    assert.equal((await options(yes, no)).persistentModels, false);
  });

  it('--persistent-models takes no value', async () => {
    await assert.rejects(options('--persistent-models=no'), CommanderError);
  });

  it('keeps lanes warm for two minutes unless told otherwise, also not at all', async () => {
    assert.equal((await options()).keepWarm, 120);
    assert.equal((await options('--keep-warm', '0')).keepWarm, 0);
    assert.equal((await options('--keep-warm', '1.5')).keepWarm, 1.5);
    await assert.rejects(options('--keep-warm', 'long'), OptionError);
  });

  for (const [flag, value] of [
    ['--lanes', '0'],
    ['--lanes', '1.5'],
    ['--lanes', '1025'],
    ['--threads', 'all'],
    ['--heartbeat', '0'],
    ['--wave-bytes', '5 parsecs'],
    ['--batch-sequences', '-3'],
  ] as const) {
    it(`names the flag of ${flag} ${value}`, async () => {
      await assert.rejects(
        options(`${flag}=${value}`),
        (error: OptionError) => error instanceof OptionError && error.what.startsWith(`${flag} ${value}: `),
      );
    });
  }

  it('reads sizes', async () => {
    assert.equal((await options()).waveBytes, 50e9);
    assert.equal((await options('--wave-bytes', '800 MB')).waveBytes, 8e8);
    assert.equal((await options('--wave-bytes', '1e9')).waveBytes, 1e9);
  });
});
