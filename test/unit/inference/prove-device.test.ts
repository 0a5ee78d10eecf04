import assert from 'node:assert/strict';
import { encoderFeeds } from '../../../src/inference/feeds.js';
import { loadableSegments } from '../../../src/inference/loadable-segments.js';
import { assertAlike } from '../../../src/inference/prove-device.js';
import { relativeError } from '../../../src/inference/relative-error.js';
import { SegmentedSession } from '../../../src/inference/segmented-session.js';
import type { GraphForm } from '../../../src/model/graph/encoder.js';
import { type Model, openModel } from '../../../src/model/model.js';
import { MODELS } from '../../support/tiny-models.js';

/** Token vectors of sequences of 3 and 80 tokens in one padded call, on the CPU. */
async function vectorsOf(model: Model, form: GraphForm): Promise<Float32Array> {
  const graph = await model.graphAs(form);
  const session = await SegmentedSession.open(await loadableSegments(model, graph, '/nowhere', 1), {
    threads: 1,
    spinning: false,
  });
  const tokens = [3, 80].map((length) => Int32Array.from({ length }, (_, i) => 4 + ((5 * i) % 20)));
  try {
    return await session.run(encoderFeeds(model.graph, tokens));
  } finally {
    await session.close();
  }
}

describe('inference/prove-device', () => {
  for (const name of ['dnabert2-tiny', 'esm2-tiny']) {
    it(`${name}: attention in MatMul and Softmax is the fused operator's, padding included; fewer layers are not`, async () => {
      const model = await openModel(`${MODELS}/${name}`, '/nowhere');
      const wanted = await vectorsOf(model, {});
      const plain = await vectorsOf(model, { plainAttention: true });
      assert.ok(relativeError(plain, wanted) < 1e-5, String(relativeError(plain, wanted)));
      const { dims } = await model.graphAs({ mostLayers: 1 });
      assert.deepEqual([dims.layers, dims.hidden], [1, model.dims.hidden]);
      assert.ok(relativeError(await vectorsOf(model, { mostLayers: 1 }), wanted) > 0.05);
    });
  }

  it('refuses a device whose worst vector is off by more than its precision allows, or is none', () => {
    assert.equal(relativeError(Float32Array.of(3, 4.5), Float32Array.of(3, 4)), 0.1);
    assertAlike('cuda', [0, 1e-3], 'fp32');
    assertAlike('cuda', [0, 1e-2], 'fp16');
    for (const [errors, precision, what, next] of [
      [[1e-6, 0.3], 'fp32', /off by 0\.30, allowed is 0\.001$/, /^Use another device, /],
      [[1e-6, NaN], 'fp32', /off by NaN/, /^Use another device, /],
      [
        [1e-6, 0.3],
        'fp16',
        /vectors in fp16 than the CPU: off by 0\.30, allowed is 0\.01$/,
        /^Give --precision fp32, /,
      ],
    ] as const) {
      assert.throws(() => assertAlike('webgpu', errors, precision), {
        name: 'DeviceError',
        where: 'webgpu',
        what,
        next,
      });
    }
  });
});
