import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import type { Feeds } from '../../../../src/inference/backend.js';
import { SegmentedSession } from '../../../../src/inference/segmented-session.js';
import { GraphBuilder } from '../../../../src/model/graph/builder.js';
import type { GraphSegment } from '../../../../src/model/graph/segments.js';
import { openModel } from '../../../../src/model/model.js';
import { MODELS } from '../../../support/tiny-models.js';

/** ((x + 1) * s + 2) * s + 3) * s, a layer each, with s = shift + shift made once. */
function threeLayers(): GraphBuilder {
  const g = new GraphBuilder((file) => file);
  let x = g.input('x', 'float32', ['rows', 2]);
  const scale = g.once('scale', () => {
    const shift = g.input('shift', 'float32', [1]);
    return g.op('Add', [shift, shift]);
  });
  for (const [layer, number] of [1, 2, 3].entries()) {
    const sum = g.op('Add', [x, g.constant(Float32Array.of(number), [])]);
    x = g.op('Mul', [sum, scale], {}, layer === 2 ? 'y' : undefined);
    if (layer < 2) g.boundary(x, 2);
  }
  g.output('y', 'float32', ['rows', 2]);
  return g;
}

const shapeOf = ({ inputs, carried }: GraphSegment): unknown[] => [inputs, carried?.width];

describe('model/graph/segments', () => {
  it('cuts between layers, at most one a segment; each takes the inputs that it needs and what the one before gives', () => {
    const g = threeLayers();
    const cut = (count: number): unknown[] => g.segments(count).map(shapeOf);
    assert.deepEqual(cut(1), [[['x', 'shift'], undefined]]);
    assert.deepEqual(cut(2), [
      [['x', 'shift'], undefined],
      [['shift'], 2],
    ]);
    assert.deepEqual(cut(3), [
      [['x', 'shift'], undefined],
      [['shift'], 2],
      [['shift'], 2],
    ]);
    assert.deepEqual(cut(9), cut(3));
    assert.deepEqual(g.segments(1)[0]!.bytes, g.build());
  });

  it('chained, they give what the whole graph does', async () => {
    const g = threeLayers();
    for (const count of [1, 2, 3]) {
      const segments = g.segments(count).map((segment) => ({ ...segment, weightsFolder: tmpdir() }));
      const session = await SegmentedSession.open(segments, { threads: 1, spinning: false });
      const feeds: Feeds = {
        x: { type: 'float32', dims: [2, 2], data: Float32Array.of(0, 1, 2, 3) },
        shift: { type: 'float32', dims: [1], data: Float32Array.of(1) },
      };
      assert.deepEqual([...(await session.run(feeds))], [22, 30, 38, 46]);
      await session.close();
    }
  });

  for (const name of ['dnabert2-tiny', 'esm2-tiny']) {
    for (const precision of ['fp32', 'int8'] as const) {
      it(`${name}, ${precision}: each weight is in one segment, so that no layer is made twice`, async () => {
        const { graph } = await openModel(`${MODELS}/${name}`, '/nowhere', undefined, precision);
        const [whole] = graph.segments(1);
        const segments = graph.segments(3);
        assert.equal(segments.length, 3);
        const holds = ({ bytes }: GraphSegment, tensor: string): boolean => Buffer.from(bytes).includes(tensor);
        for (const { name: tensor } of graph.weights) {
          assert.ok(holds(whole!, tensor));
          assert.equal(segments.filter((segment) => holds(segment, tensor)).length, 1, tensor);
        }
        const taken = segments.map(({ inputs }) => inputs.includes('input_ids'));
        assert.deepEqual(taken, [true, true, true], 'for the shape of the call');
      });
    }
  }
});
