import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { callCli } from '../../support/cli.js';

describe('cli/log', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vnp-log-'));
    await mkdir(path.join(dir, 'folder'));
    await writeFile(path.join(dir, 'file'), '');
  });
  after(() => rm(dir, { recursive: true }));

  it('refuses a log file that cannot be written', () => {
    for (const [file, code] of [
      ['folder', 'EISDIR'],
      ['file/run.log', 'EEXIST'],
    ] as const) {
      const { code: exitCode, stderr } = callCli(['predict', 'no.fa', '-l', file], dir);
      assert.equal(
        stderr,
        `error: ${file}: the log file cannot be written (${code})\nGive another file with --log-file\n`,
      );
      assert.equal(exitCode, 2);
    }
  });

  it('refuses a level that there is not', () => {
    const { code, stderr } = callCli(['predict', 'no.fa'], dir, { VIRNUCPRO_LOG_LEVEL: 'loud' });
    assert.equal(
      stderr,
      'error: VIRNUCPRO_LOG_LEVEL is "loud", allowed are trace, debug, info, warn, error, fatal\n' +
        'Set it to one of them, or unset it\n',
    );
    assert.equal(code, 2);
  });
});
