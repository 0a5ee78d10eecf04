import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { MODELS, call, op, pickle, put, scratch, stateDict, tensor, torchZip, floats } from './support.js';

const run = promisify(execFile);

/** Opens each file named on the command line and prints what came of it. */
const PROGRAM = `
  const [module, ...files] = process.argv.slice(1);
  const { openCheckpoint } = await import(module);
  const outcome = (file) => openCheckpoint(file).then((found) => found.tensors.size, (error) => error.name + ': ' + error.message);
  console.log(JSON.stringify(await Promise.all(files.map(outcome))));
`;

describe('a hostile checkpoint', () => {
  it('runs nothing and writes nothing: opened where Node allows no process, no thread and no write', async () => {
    const { folder, remove } = await scratch();
    try {
      const canary = path.join(folder, 'canary');
      const command = op.text(`touch ${canary}`);
      const python = op.text(`open(${JSON.stringify(canary)}, 'w')`);
      const attacks = [
        pickle(call('os', 'system', command)),
        pickle(call('posix', 'system', command)),
        pickle(call('builtins', 'eval', python)),
        pickle(call('builtins', 'exec', python)),
        pickle(stateDict({ w: tensor(), x: call('os', 'system', command) })),
        Buffer.concat([
          op.proto(4),
          op.text('os'),
          op.text('system'),
          op.stackGlobal,
          command,
          op.tuple1,
          op.reduce,
          op.stop,
        ]),
      ];
      const files = [];
      for (const attack of attacks) files.push(await put(folder, torchZip(attack, { '0': floats(1, 2, 3, 4) })));
      const before = await readdir(folder);
      const module = path.resolve('dist/src/model/checkpoint/open.js');
      const permissions = ['--experimental-permission', '--allow-fs-read=*', '--no-warnings'];
      const { stdout } = await run(process.execPath, [
        ...permissions,
        '--input-type=module',
        '--eval',
        PROGRAM,
        module,
        ...files,
        path.resolve(MODELS, 'esm2-tiny'),
        path.resolve(MODELS, 'classifier-tiny/tiny_model.pth'),
      ]);
      const outcomes = JSON.parse(stdout) as unknown[];
      for (const outcome of outcomes.slice(0, -2)) {
        assert.match(String(outcome), /^ModelError: pickle asks for (os|posix|builtins)\.\w+; nothing was run/);
      }
      assert.deepEqual(outcomes.slice(-2), [57, 9]);
      assert.deepEqual(await readdir(folder), before);
      await assert.rejects(access(canary));
    } finally {
      await remove();
    }
  });

  it('meets a reader that has no way to run anything', async () => {
    const folder = 'src/model/checkpoint';
    for (const name of await readdir(folder)) {
      const code = await readFile(path.join(folder, name), 'utf8');
      assert.doesNotMatch(code, /child_process|node:vm|worker_threads|\beval\(|new Function|import\(|require\(/, name);
    }
  });
});
