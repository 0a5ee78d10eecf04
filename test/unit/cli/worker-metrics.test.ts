import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { callCli } from '../../support/cli.js';

describe('virnucpro worker --metrics', () => {
  for (const address of ['9464', 'localhost:9464', '127.0.0.1', '127.0.0.1:0', '127.0.0.1:70000', '::1:9464']) {
    it(`refuses ${address}`, () => {
      const { code, stderr } = callCli(['worker', '--metrics', address]);
      assert.equal(code, 2);
      assert.match(stderr, /--metrics is ".*", allowed are an IP address and a port/);
    });
  }

  it('does not work beside a port that is taken: it says so and ends', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const address = `127.0.0.1:${(holder.address() as AddressInfo).port}`;
    const { code, stderr } = callCli(['worker'], process.cwd(), { VIRNUCPRO_METRICS: address });
    holder.close();
    assert.equal(code, 2);
    assert.match(stderr, new RegExp(`^error: ${address}: metrics cannot be served there .*in use`, 'i'));
  });
});
