import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { mock } from 'node:test';
import { openTransferDisplay } from '../../../src/cli/transfer-display.js';
import { CATALOGUE } from '../../../src/model/catalogue.js';
import { openModel } from '../../../src/model/model.js';
import { reducedWeights } from '../../../src/model/reduced-weights.js';
import { type ListedModel } from '../../../src/model/store/list.js';
import { startCli } from '../../support/cli.js';
import { goldenModels } from '../../support/golden.js';
import { labelledReference } from '../../support/labelled-reference.js';
import { writeSmallEsm2 } from '../../support/small-esm2.js';
import { MODELS, goldenEmbeddings, temporaryFolder } from '../../support/tiny-models.js';

describe('virnucpro models', () => {
  let root: string;
  let env: NodeJS.ProcessEnv;
  const run = (...args: string[]): ReturnType<typeof startCli>['ended'] =>
    startCli(['models', ...args], root, '', env).ended;

  beforeEach(async () => {
    root = await temporaryFolder();
    env = {
      VIRNUCPRO_CACHE_DIR: path.join(root, 'cache'),
      XDG_CACHE_HOME: path.join(root, 'shared'),
      VIRNUCPRO_MODELS: '',
      HF_HOME: '',
      HF_HUB_CACHE: '',
      HF_HUB_OFFLINE: '1',
    };
  });

  it('import, list, verify, rm', async () => {
    const source = await writeSmallEsm2(path.join(root, 'usb'));
    const target = path.join(root, 'cache/models/esm2-8m');
    const imported = await run('import', source);
    assert.equal(imported.stdout, `${target}\n`);
    assert.equal(imported.stderr, 'esm2-8m imported, hard-linked: config.json, vocab.txt, model.safetensors\n');

    const listed = JSON.parse((await run('list', '--json')).stdout) as ListedModel[];
    assert.deepEqual(
      listed.map(({ name }) => name),
      Object.keys(CATALOGUE),
    );
    assert.deepEqual(
      listed.filter(({ present }) => present).map(({ name, path: where }) => [name, where]),
      [['esm2-8m', target]],
    );
    const lines = (await run('list')).stdout.split('\n');
    assert.match(lines[0]!, /^MODEL +HERE +BYTES +WHERE$/);
    assert.match(lines[1]!, /^dnabert-s +no +about 470 MB +zhihan1996\/DNABERT-S$/);
    assert.match(lines[3]!, /^esm2-8m +yes +10\.\d MB +our cache: .*cache\/models\/esm2-8m$/);
    assert.match(lines[7]!, /^esm2-3b +no +about 11\.3 GB +facebook\/esm2_t36_3B_UR50D$/);

    const verified = await run('verify', 'esm2-8m', '-t', '1');
    assert.equal(verified.code, 0, verified.stderr);
    assert.match(verified.stdout, /no reference vectors exist for esm2-8m/);
    assert.match(verified.stdout, /fixed_500bp_seq1_chunk_1R1 +1\.00000000 +\d\.\de[+-]\d+ +ok\n/);
    const [stamp] = await readdir(path.join(root, 'cache/verified'));
    assert.ok(verified.stdout.endsWith(`verified: ${path.join(root, 'cache/verified', stamp!)}\n`));

    await reducedWeights(
      (await openModel(target, '', undefined, 'int8')).graph.reduced!,
      'a',
      path.join(root, 'cache'),
    );
    const gone = await writeSmallEsm2(path.join(root, 'gone'));
    await reducedWeights((await openModel(gone, '', undefined, 'int8')).graph.reduced!, 'b', path.join(root, 'cache'));
    await rm(gone, { recursive: true });
    const reduced = (await run('list')).stdout.split('\n\n')[1]!.trimEnd().split('\n');
    assert.match(reduced[0]!, /^REDUCED WEIGHTS OF +BYTES +WHERE$/);
    assert.match(reduced.slice(1).join('\n'), /^esm2-8m +2\.6\d MB +\/.*\/cache\/reduced\/[0-9a-f]{64}$/m);
    assert.match(
      reduced.slice(1).join('\n'),
      /^\S+\/gone\/model.safetensors, which is gone +2\.6\d MB +\/.*\/reduced\/\w+$/m,
    );
    assert.equal(reduced.length, 3);

    const removed = await run('rm', 'esm2-8m');
    assert.match(
      removed.stdout,
      /esm2-8m: removed, 2\.6\d MB freed, 2\.6\d MB of it from reduced weights; 10\.\d MB stay, hard-linked/,
    );
    const again = await run('rm', 'esm2-8m');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /^error: .*model esm2-8m is not on this machine\n/);
  });

  it('verify exits 1 with the table when vectors differ', async () => {
    const golden = (await goldenEmbeddings('esm2')).slice(0, 2);
    const reference = path.join(root, 'reference.json');
    const vectors = golden.map(({ sequence, mean }, i) => ({
      id: `golden-${i}`,
      sequence,
      vector: mean.map((value, k) => (i === 1 && k === 0 ? value + 1 : value)),
    }));
    await writeFile(reference, JSON.stringify({ source: 'golden', models: { tiny: vectors } }));
    const { code, stdout, stderr } = await run('verify', `${MODELS}/esm2-tiny`, '--reference', reference);
    assert.equal(code, 1);
    assert.match(stdout, /^golden-0 +1\.00000000 +\S+ +ok\ngolden-1 +0\.\d+ +\S+ +DIFFERS$/m);
    assert.match(stderr, /^error: .*esm2-tiny: vectors differ: relative error \S+ for golden-1, allowed is 0\.001\n/);
    await assert.rejects(readdir(path.join(root, 'cache/verified')));
  });

  it('verify -p compares labels, and exits 1 with the table when one differs', async () => {
    const reference = path.join(root, 'reference.json');
    const labelled = await labelledReference();
    labelled.predictions!.frames[1]!.label = 'others';
    await writeFile(reference, JSON.stringify(labelled));
    const args = ['verify', goldenModels.dnaModel, '-t', '1', '--reference', reference];
    const without = await run(...args);
    assert.equal(without.code, 0, without.stderr);
    assert.match(without.stdout, /^labels were not compared: name the classifier tiny\.safetensors with -p$/m);

    env['VIRNUCPRO_MODEL_PATH'] = goldenModels.classifier;
    const { code, stdout, stderr } = await run(...args);
    assert.equal(code, 1);
    assert.match(stdout, /^labels by \/.*\/tiny\.safetensors against those that tiny\.safetensors gave$/m);
    assert.match(stdout, /^phiX174_chunk_5F3 +others +others +0\.29305\d +0\.293055 +-?\d\.\de-\d+ +ok$/m);
    assert.match(stdout, /^phiX174_chunk_5R2 +virus +others +0\.78714\d +0\.787148 +-?\d\.\de-\d+ +DIFFERS$/m);
    assert.match(
      stderr,
      /^error: .*dnabert2-tiny: 1 of 4 labels differ: phiX174_chunk_5R2 is virus, others is stated\n.*is tiny\.safetensors\n$/,
    );
    assert.deepEqual(await readdir(path.join(root, 'cache/verified')), []);

    const nothing = await run(...args, '-p', path.join(root, 'nothing.pth'));
    assert.match(nothing.stderr, /^error: .*nothing\.pth: no such classifier file\n/);
  });

  it('predict names the command that gets a model', async () => {
    await mkdir(path.join(root, 'in'));
    await writeFile(path.join(root, 'in/a.fa'), '>a\nACGT\n');
    const { code, stderr } = await startCli(
      ['predict', path.join(root, 'in/a.fa'), '-p', goldenModels.classifier],
      root,
      '',
      env,
    ).ended;
    assert.equal(code, 1);
    assert.match(stderr, /model dnabert-s \(zhihan1996\/DNABERT-S\) is not on this machine/);
    assert.match(stderr, /virnucpro models pull dnabert-s/);
  });

  it('every command of docs/models.md is one that there is', async () => {
    const commands = [...(await readFile('docs/models.md', 'utf8')).matchAll(/virnucpro models (\w+)/g)];
    const help = (await run('--help')).stdout;
    assert.ok(commands.length > 5);
    for (const [, name] of commands) assert.match(help, new RegExp(`^  ${name} `, 'm'));
  });
});

describe('the display of a download', () => {
  it('without a terminal is a line for each tenth of a file', () => {
    let text = '';
    const display = openTransferDisplay({
      write: (piece: string) => ((text += piece), true),
    } as unknown as NodeJS.WriteStream);
    for (const done of [0, 1e6, 2e6, 2.5e6, 100e6]) display.show('model.safetensors', done, 20e6 * 5);
    display.show('vocab.txt', 93, 93);
    display.close();
    assert.deepEqual(text.split('\n'), [
      'model.safetensors: 0 bytes of 100 MB',
      'model.safetensors: 100 MB of 100 MB',
      'vocab.txt: 93 bytes of 93 bytes',
      '',
    ]);
  });

  it('on a terminal is a bar that redraws in place', () => {
    let text = '';
    const stream = { isTTY: true, columns: 100, rows: 24, write: (piece: string) => ((text += piece), true) };
    mock.timers.enable({ apis: ['Date'], now: 1e12 });
    const display = openTransferDisplay(stream as unknown as NodeJS.WriteStream);
    display.show('model.safetensors', 25e6, 100e6);
    display.show('model.safetensors', 26e6, 100e6);
    display.note('! broken off; another try in 1 s');
    display.show('model.safetensors', 100e6, 100e6);
    display.close();
    mock.timers.reset();
    assert.ok(text.includes('model.safetensors        ██████░░░░░░░░░░░░░░░░░░ 25 MB of 100 MB\n'), text);
    assert.ok(text.includes('! broken off; another try in 1 s\n'), text);
    assert.ok(!text.includes('26 MB'), 'not redrawn within a tenth of a second');
    assert.ok(text.includes('████████████████████████ 100 MB of 100 MB\n'), text);
  });
});
