import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { GenericContainer, type StartedTestContainer } from 'testcontainers';
import { version } from '../../src/version.js';
import { describeWithEngine } from '../support/docker/engine.js';
import { BUILD_MS, type Images, buildImages } from '../support/docker/images.js';
import { PATIENCE_MS } from '../support/faults/fault-bench.js';
import { eventually } from '../support/processes.js';

const exec = promisify(execFile);

/** Of the package with its dependencies: 256 MB when this was written. */
const MOST_MEGABYTES = 300;

describeWithEngine('the image of the target cpu', () => {
  let images: Images;
  let agent: StartedTestContainer;

  before(async function () {
    this.timeout(BUILD_MS);
    images = await buildImages();
    // An agent that waits for its service.
    agent = await new GenericContainer(images.cpu)
      .withNetworkMode('none')
      .withEnvironment({ TEMPORAL_ADDRESS: '127.0.0.1:7233' })
      .start();
  });
  after(() => agent?.stop({ timeout: 0 }));

  it('is this version, as a user without rights, with tini as process 1', async () => {
    assert.equal(await shell('virnucpro --version'), version);
    assert.equal(await shell('id -u; id -g; cat /proc/1/comm'), '10001\n10001\ntini');
    assert.equal(await shell('touch /opt/virnucpro/x || echo refused'), 'refused');
  });

  it('is the packed package with production dependencies for this system only', async () => {
    const root = '/opt/virnucpro';
    assert.equal(await shell(`cd ${root}; ls -d dist/* node_modules/mocha node_modules/typescript-eslint`), 'dist/src');
    assert.equal(await shell(`ls ${root}/node_modules/@temporalio/core-bridge/releases | wc -l`), '1');
    assert.equal(await shell(`ls -d ${root}/node_modules/onnxruntime-node/bin/*/*/* | wc -l`), '1');
    const megabytes = Number((await shell(`du -sm ${root}`)).split('\t')[0]);
    assert.ok(megabytes <= MOST_MEGABYTES, `${megabytes} MB`);
  });

  it('keeps nothing of the build: no npm configuration, no secrets, no cache', async () => {
    assert.equal(await shell('ls -d /run/secrets/* /root/.npmrc /tmp/npm /root/.npm'), '');
    const { stdout } = await exec('docker', ['history', '--no-trunc', '--format', '{{.CreatedBy}}', images.cpu]);
    assert.doesNotMatch(stdout, /_authToken|PASSWORD|SECRET_ACCESS_KEY|BEGIN CERTIFICATE/);
  });

  it('is healthy while its agent gives signs of life, and not a minute later', async () => {
    const format = '{{index .Config.Healthcheck.Test 1}}';
    const { stdout } = await exec('docker', ['image', 'inspect', '--format', format, images.cpu]);
    const check = stdout.trim();
    await eventually(async () => (await shell(`${check} && echo healthy`)) === 'healthy', PATIENCE_MS);
    assert.equal(
      await shell(`touch -d '2 minutes ago' $VIRNUCPRO_ALIVE_FILE; ${check} || echo unhealthy`),
      'unhealthy',
    );
  });

  it('ends by SIGTERM while it waits for its service, and in its first second', async () => {
    const early = await new GenericContainer(images.cpu).withNetworkMode('none').start();
    for (const container of [agent, early]) {
      await exec('docker', ['stop', '--time', '60', container.getId()]);
      const { stdout } = await exec('docker', ['inspect', '--format', '{{.State.ExitCode}}', container.getId()]);
      assert.notEqual(stdout.trim(), '137', 'it had to be killed');
    }
    await early.stop();
  });

  /** What a command in the agent's container writes to standard output. */
  async function shell(command: string): Promise<string> {
    return (await agent.exec(['sh', '-c', `{ ${command}; } 2>/dev/null`])).output.trimEnd();
  }
});
