import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { findTemporalCli, locateTemporalCli, type FindOptions } from '../../../src/server/temporal-cli.js';

describe('server/temporal-cli', () => {
  const log = pino({ level: 'silent' });
  let dir: string;
  let bin: string;
  let options: FindOptions;
  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vnp-cli-'));
    bin = path.join(dir, 'bin');
    await mkdir(bin);
    options = { env: { PATH: bin }, cacheDir: path.join(dir, 'cache'), log };
  });
  afterEach(() => rm(dir, { recursive: true }));

  async function program(file: string, script: string): Promise<string> {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return file;
  }
  const cli = (file: string, server = '1.29.1'): Promise<string> =>
    program(file, `echo "temporal version 1.5.1 (Server ${server}, UI 2.42.1)"`);

  it('prefers flag to variable to PATH to cache', async () => {
    const cached = await cli(path.join(options.cacheDir, 'temporal-cli', '1.5.1', 'temporal'));
    assert.equal(await findTemporalCli(options), cached);
    const onPath = await cli(path.join(bin, 'temporal'));
    assert.equal(await findTemporalCli(options), onPath);
    const named = await cli(path.join(dir, 'named'));
    const env = { PATH: bin, VIRNUCPRO_TEMPORAL_CLI: named };
    assert.equal(await findTemporalCli({ ...options, env }), named);
    const flag = await cli(path.join(dir, 'flag'));
    assert.equal(await findTemporalCli({ ...options, env, flag }), flag);
  });

  it('passes over programs on the PATH that are something else or too old', async () => {
    const passed: string[] = [];
    await cli(path.join(bin, 'temporal'), '1.22.0');
    assert.equal(await locateTemporalCli(options, passed), undefined);
    await program(path.join(bin, 'temporal'), 'echo tctl 0.1');
    assert.equal(await locateTemporalCli(options, passed), undefined);
    await program(path.join(bin, 'temporal'), 'echo no libfoo >&2; exit 127');
    assert.equal(await locateTemporalCli(options, passed), undefined);
    assert.match(passed.join('\n'), /server 1\.22, older than 1\.29[^]*says "tctl 0\.1"[^]*does not run: no libfoo/);
  });

  it('never replaces the one that was named', async () => {
    await cli(path.join(bin, 'temporal'));
    const missing = path.join(dir, 'missing');
    await assert.rejects(findTemporalCli({ ...options, flag: missing }), {
      name: 'OptionError',
      where: '--temporal-cli',
    });
    await assert.rejects(findTemporalCli({ ...options, env: { PATH: bin, VIRNUCPRO_TEMPORAL_CLI: missing } }), {
      name: 'OptionError',
      where: 'VIRNUCPRO_TEMPORAL_CLI',
    });
  });

  it('installs with Go when nothing else does, in two processes at once too', async () => {
    await program(
      path.join(bin, 'go'),
      `test "$CGO_ENABLED $*" = "0 install github.com/temporalio/cli/cmd/temporal@v1.5.1" || exit 9
       printf '%s\\n' '#!/bin/sh' 'echo "temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)"' > "$GOBIN/temporal"
       /bin/chmod +x "$GOBIN/temporal"`,
    );
    const noDownload = { download: () => Promise.reject(new Error('no network')) };
    const expected = path.join(options.cacheDir, 'temporal-cli', '1.5.1', 'temporal');
    const found = await Promise.all([findTemporalCli(options, noDownload), findTemporalCli(options, noDownload)]);
    assert.deepEqual(found, [expected, expected]);
    assert.deepEqual(await readdir(path.dirname(expected)), ['temporal']);
  });

  it('says all it tried and what to do', async () => {
    await program(path.join(bin, 'go'), 'echo "go: no such module" >&2; exit 1');
    const noDownload = { download: () => Promise.reject(new Error('no network')) };
    await assert.rejects(findTemporalCli(options, noDownload), {
      name: 'ServerError',
      message:
        /no usable `temporal` on the PATH.*download: no network; go install: go: no such module.*Install the Temporal CLI.*install Go/,
    });
    assert.deepEqual(await readdir(path.join(options.cacheDir, 'temporal-cli', '1.5.1')), []);
  });
});
