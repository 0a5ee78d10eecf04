import assert from 'node:assert/strict';
import { whyAway } from '../../../src/workers/service-answer.js';

describe('whyAway', () => {
  it('says at once that an address is none: no wait puts that right', async () => {
    for (const address of ['http://localhost:7233', 'localhost:99999', 'a b:1', 'localhost:abc', '']) {
      await assert.rejects(whyAway({ address, namespace: 'n', connectionOptions: { address }, env: {} }), {
        name: 'ServerError',
        what: /^no connection can be made: /,
        where: `${address} (namespace n)`,
        next: /^Check TEMPORAL_ADDRESS/,
      });
    }
  });

  it('is the reason why nobody answers', async () => {
    const address = '127.0.0.1:1';
    const reason = await whyAway({ address, namespace: 'n', connectionOptions: { address }, env: {} });
    assert.match(reason!, /^connect ECONNREFUSED/);
  });
});
