import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Command, CommanderError } from 'commander';
import { chooseClassifier } from '../../../src/cli/model-type.js';
import { configText, readConfig } from '../../../src/cli/options/config-file.js';
import { readOptions } from '../../../src/cli/options/option-table.js';
import { PREDICT_OPTIONS, type PredictOptions } from '../../../src/cli/options/predict-table.js';
import { RETIRED_FLAGS } from '../../../src/cli/options/retired-flags.js';
import { SERVER_STOP_OPTIONS } from '../../../src/cli/options/server-tables.js';
import { TableCommand } from '../../../src/cli/options/table-command.js';
import { strangeVariables } from '../../../src/cli/options/variables.js';
import { wholeProgram } from '../../../src/cli/program.js';
import { predictCommand } from '../../../src/cli/predict.js';
import { OptionError } from '../../../src/contract/failures.js';

/** What commander makes of `virnucpro predict a.fa -p model.pth` with `args`. */
async function flags(...args: string[]): Promise<Record<string, unknown>> {
  let parsed: Record<string, unknown> = {};
  const command = (await predictCommand().addTable())
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .action((_: string[], raw: Record<string, unknown>) => void (parsed = raw));
  await command.parseAsync(['a.fa', '-p', 'model.pth', ...args], { from: 'user' });
  return parsed;
}

async function options(...args: string[]): Promise<PredictOptions> {
  return readOptions(PREDICT_OPTIONS, { flags: await flags(...args), env: {}, command: 'virnucpro predict' });
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
        (error: OptionError) =>
          error instanceof OptionError && error.what.startsWith(`${flag} is "${value}", allowed `),
      );
    });
  }

  it('reads sizes', async () => {
    assert.equal((await options()).waveBytes, 50e9);
    assert.equal((await options('--wave-bytes', '800 MB')).waveBytes, 8e8);
    assert.equal((await options('--wave-bytes', '1e9')).waveBytes, 1e9);
  });

  it('come from the flag, else the variable, else the configuration file, else the default', async () => {
    const config = { file: 'c.yaml', values: { lanes: 4, threads: 8, 'keep-warm': 5, 'persistent-models': false } };
    const env = { VIRNUCPRO_LANES: '3', VIRNUCPRO_THREADS: '6', VIRNUCPRO_KEEP_EMBEDDINGS: 'yes' };
    const read = readOptions(PREDICT_OPTIONS, {
      flags: await flags('--lanes', '2'),
      env,
      command: 'virnucpro predict',
      config,
    });
    assert.deepEqual(
      [read.lanes, read.threads, read.keepWarm, read.persistentModels, read.keepEmbeddings, read.heartbeat],
      [2, 6, 5, false, true, 15],
    );
  });

  it('say where a wrong value comes from', async () => {
    const wrong = (sources: object): (() => void) => {
      return () => readOptions(PREDICT_OPTIONS, { flags: {}, env: {}, command: 'virnucpro predict', ...sources });
    };
    assert.throws(wrong({ env: { VIRNUCPRO_LANES: 'x' } }), {
      where: 'VIRNUCPRO_LANES',
      what: '--lanes is "x", allowed are whole numbers from 1 to 1024',
    });
    assert.throws(wrong({ config: { file: 'c.yaml', values: { resume: 7 } } }), {
      where: 'c.yaml',
      what: '--resume is 7, allowed are true and false',
    });
    assert.throws(wrong({ config: { file: 'c.yaml', values: { 'keep-worm': 7 } } }), {
      where: 'c.yaml',
      what: 'the configuration has no key "keep-worm"; the nearest is "keep-warm"',
    });
  });

  /** Every flag of the original `virnucpro predict` (2.0.0) as one would give it. */
  const ORIGINAL = [
    ...['-m 500', '--model-type 300', '-p own.pth', '--model-path own.pth', '-e 500', '--expected-length 300'],
    ...['-o out', '--output-dir out', '-d auto', '--device cuda:1', '-k', '--keep-intermediate', '--resume'],
    ...['-f', '--force', '--no-progress', '--gpus 2,3', '-t 4', '--threads 4', '--verbose', '--quiet'],
    ...['--persistent-models', '--no-persistent-models'],
    ...['-b 256', '--batch-size 256', '-w 4', '--num-workers 4', '--dnabert-batch-size 2048', '--esm-batch-size 2048'],
    ...['--parallel', '--v1-fallback', '--v1-attention', '--merge-threads 4', '--skip-checkpoint-validation'],
    ...['--dataloader-workers 4', '--pin-memory', '--force-resume', '--expandable-segments'],
    ...['--cache-clear-interval 100', '--cuda-streams', '--no-cuda-streams'],
  ];

  it('every flag of the original works, or is taken with one line that says what replaces it', async () => {
    const said: string[] = [];
    const { write } = process.stderr;
    const defaults = await flags();
    for (const given of ORIGINAL) {
      said.length = 0;
      process.stderr.write = (text) => (said.push(String(text)), true);
      const parsed = await flags(...given.split(' ')).finally(() => (process.stderr.write = write));
      const [flag] = given.split(' ') as [string];
      const retired = Object.keys(RETIRED_FLAGS).find((names) => names.split(/[ ,]+/).includes(flag));
      if (retired === undefined) {
        assert.deepEqual(said, []);
        assert.notDeepEqual(parsed, defaults, `${given} changes nothing`);
        readOptions(PREDICT_OPTIONS, { flags: parsed, env: {}, command: 'virnucpro predict' });
      } else {
        const long = /--[\w-]+/.exec(retired)![0];
        assert.deepEqual(said, [`note: ${long} has no effect any more: ${RETIRED_FLAGS[retired]}\n`], given);
        const values = readOptions(PREDICT_OPTIONS, { flags: parsed, env: {}, command: 'virnucpro predict' });
        assert.deepEqual(
          values,
          readOptions(PREDICT_OPTIONS, { flags: defaults, env: {}, command: 'virnucpro predict' }),
        );
      }
    }
  });
});

describe('variables', () => {
  it('are there for every option of every command, as all come from tables', async () => {
    const without: string[] = [];
    const look = (command: Command): void => {
      if (command.options.length > 0 && !(command instanceof TableCommand)) without.push(command.name());
      command.commands.forEach(look);
    };
    look(await wholeProgram());
    // Its options are predict's, in front of it, and --version.
    assert.deepEqual(without, ['virnucpro']);
  });

  it("of predict's --force do not end other people's runs", () => {
    const env = { VIRNUCPRO_FORCE: 'yes' };
    assert.equal(readOptions(PREDICT_OPTIONS, { flags: {}, env, command: 'predict' }).force, true);
    assert.equal(readOptions(SERVER_STOP_OPTIONS, { flags: {}, env, command: 'stop' }).force, false);
    assert.equal(readOptions(SERVER_STOP_OPTIONS, { flags: { force: true }, env, command: 'stop' }).force, true);
  });

  it('that nothing reads are named, with what may be meant', async () => {
    const ours = { VIRNUCPRO_LANES: '2', VIRNUCPRO_STATE_DIR: '/s', VIRNUCPRO_TEST_BASE: 'x', PATH: '/bin' };
    const never = async (): Promise<Command> => assert.fail('not needed');
    assert.deepEqual(await strangeVariables({ VIRNUCPRO_STATE_DIR: '/s', HOME: '/' }, never), []);
    assert.deepEqual(await strangeVariables(ours, wholeProgram), []);
    assert.deepEqual(await strangeVariables({ ...ours, VIRNUCPRO_LANE: '2', VIRNUCPRO_COLOUR: 'no' }, wholeProgram), [
      { name: 'VIRNUCPRO_LANE', meant: 'VIRNUCPRO_LANES' },
      { name: 'VIRNUCPRO_COLOUR', meant: undefined },
    ]);
  });
});

describe('configuration file', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-config-'))));
  after(() => rm(dir, { recursive: true }));
  const config = async (text: string): Promise<Record<string, unknown>> => {
    const file = path.join(dir, 'c.yaml');
    await writeFile(file, text);
    return (await readConfig(file)).values;
  };

  it('that is generated holds every default and is read back to the same options', async () => {
    const values = await config(configText(PREDICT_OPTIONS));
    assert.deepEqual(
      readOptions(PREDICT_OPTIONS, {
        flags: {},
        env: {},
        command: 'virnucpro predict',
        config: { file: 'c.yaml', values },
      }),
      readOptions(PREDICT_OPTIONS, { flags: {}, env: {}, command: 'virnucpro predict' }),
    );
    assert.equal(values['lanes'], 1);
  });

  it('may be empty; is refused when it is no mapping, no YAML or not there', async () => {
    assert.deepEqual(await config('# nothing\n'), {});
    for (const text of ['- 1\n', 'word', '{', 'a: 1\na: 2\n'])
      await assert.rejects(config(text), { name: 'OptionError' });
    await assert.rejects(readConfig(path.join(dir, 'none.yaml')), { name: 'OptionError', what: /ENOENT/ });
  });

  it('is refused when it refers to its own parts, nests, or is larger than any: no bomb reaches the parser', async () => {
    const bomb = [
      'a: &a [x, x]',
      ...[...'bcdefghij'].map((k, i) => `${k}: &${k} [*${'abcdefghi'[i]}, *${'abcdefghi'[i]}]`),
    ];
    const nested = ['['.repeat(500), '{a: '.repeat(500), '- '.repeat(500), '? '.repeat(500)].map(
      (text) => `a: ${text}`,
    );
    const indented = Array.from({ length: 120 }, (_, i) => `${' '.repeat(i)}a:`).join('\n');
    for (const text of ['a: &a 1\nb: *a\n', bomb.join('\n'), ...nested, indented, `${'x'.repeat(2 ** 18)}: 1\n`]) {
      await assert.rejects(config(text), { name: 'OptionError' });
    }
  });
});

describe('classifier and chunk length', () => {
  let dir: string;
  const file = (name: string): string => path.join(dir, name);
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-type-'));
    for (const name of ['300_model.pth', '500_model.pth', 'own.pth']) await writeFile(file(name), '');
  });
  after(() => rm(dir, { recursive: true }));
  const choose = (modelPath?: string, modelType?: '300' | '500' | 'custom', expectedLength?: number): Promise<object> =>
    chooseClassifier({ modelPath, modelType, expectedLength });

  it('go together for the published ones, known by -m or by the name of their file', async () => {
    assert.deepEqual(await choose(file('300_model.pth')), {
      classifier: file('300_model.pth'),
      chunkSize: 300,
      assumed: false,
    });
    assert.deepEqual(await choose(file('own.pth'), '300'), {
      classifier: file('own.pth'),
      chunkSize: 300,
      assumed: false,
    });
    assert.deepEqual(await choose(file('500_model.pth'), undefined, 500), {
      classifier: file('500_model.pth'),
      chunkSize: 500,
      assumed: false,
    });
  });

  it('are what is given for one of your own; else 500, which nobody said', async () => {
    assert.deepEqual(await choose(file('own.pth')), { classifier: file('own.pth'), chunkSize: 500, assumed: true });
    assert.deepEqual(await choose(file('own.pth'), undefined, 400), {
      classifier: file('own.pth'),
      chunkSize: 400,
      assumed: false,
    });
    assert.deepEqual(await choose(file('300_model.pth'), 'custom', 200), {
      classifier: file('300_model.pth'),
      chunkSize: 200,
      assumed: false,
    });
  });

  it('are refused when they contradict each other or are not there', async () => {
    await assert.rejects(choose(file('300_model.pth'), undefined, 500), {
      name: 'OptionError',
      what: /300 bases only/,
    });
    await assert.rejects(choose(undefined, '500', 300), { name: 'OptionError' });
    await assert.rejects(choose(undefined, 'custom'), { name: 'OptionError', what: /without -p$/ });
    await assert.rejects(choose(file('own.pth'), 'custom'), { name: 'OptionError', what: /without -e$/ });
    await assert.rejects(choose(), { name: 'ModelError', where: '500_model.pth' });
  });

  it('are refused for a folder, which names the files in it that fit', async () => {
    const folder = file('folder');
    await mkdir(folder);
    const refusal = { name: 'ModelError', where: folder, what: 'the classifier is a file, this is a folder' };
    const none = 'It holds no .pth or .safetensors file: name the classifier with -p';
    await assert.rejects(choose(folder), { ...refusal, next: none });
    for (const name of ['b.pth', 'a.safetensors', 'notes.txt']) await writeFile(path.join(folder, name), '');
    const next = `Name a file in it with -p: ${path.join(folder, 'a.safetensors')}, ${path.join(folder, 'b.pth')}`;
    await assert.rejects(choose(folder), { ...refusal, next });
  });
});
