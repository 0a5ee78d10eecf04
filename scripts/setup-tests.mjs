/**
 * Builds the S3 server that tests use, once, where Go is; elsewhere those tests are skipped by name. After setup.mjs: it
 * asks the compiled tests which one they want.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { S3_PROGRAM, S3_SERVER } from '../dist/test/support/s3-server.js';

if (!existsSync(S3_PROGRAM) && spawnSync('go', ['version']).status === 0) build();

function build() {
  const { module, version } = S3_SERVER;
  process.stderr.write('Building an S3 server for the tests with Go, once (a minute or two) ...\n');
  mkdirSync(path.dirname(S3_PROGRAM), { recursive: true });
  const folder = mkdtempSync(`${S3_PROGRAM}-`);
  try {
    const env = { ...process.env, CGO_ENABLED: '0', GOBIN: folder };
    const { status } = spawnSync('go', ['install', `${module}@v${version}`], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (status === 0) renameSync(path.join(folder, path.basename(S3_PROGRAM)), S3_PROGRAM);
    else process.stderr.write('It could not be built: tests that need it are skipped.\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
