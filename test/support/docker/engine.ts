import { spawnSync } from 'node:child_process';
import { accessSync } from 'node:fs';
import { S3_PROGRAM } from '../s3-server.js';
import { temporalCli } from '../temporal-cli.js';

// Its container would have to be pulled. What these tests start, they remove; what a killed test left, the engine's end does.
process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
// Ports are not published: containers are reached at their own addresses. Without this it asks for a default network.
process.env['TESTCONTAINERS_HOST_OVERRIDE'] ??= 'localhost';

/** Why no container can be started here, as a sentence's end. */
const missing = reason();

/** `describe` for tests that start containers: elsewhere one skip that says why. */
export function describeWithEngine(title: string, tests: () => void): void {
  if (missing === undefined) describe(title, tests);
  else describe.skip(`${title} (skipped: ${missing})`, tests);
}

function reason(): string | undefined {
  const told = process.env['VIRNUCPRO_TEST_NO_ENGINE'];
  if (told) return `no container engine here: ${told}`;
  const { error, stderr, status } = spawnSync('docker', ['info'], { encoding: 'utf8' });
  if (error) return 'no container engine here: `docker` is not installed; scripts/with-container-engine.sh gets one';
  if (status !== 0) return `no container engine here: ${stderr.trim().split('\n').at(-1)}`;
  if (temporalCli === undefined) return 'no Temporal CLI here; run `virnucpro server install`';
  try {
    accessSync(S3_PROGRAM);
  } catch {
    return 'no S3 server here; install Go; node scripts/setup-tests.mjs builds one';
  }
  return undefined;
}
