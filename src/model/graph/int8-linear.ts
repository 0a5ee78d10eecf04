import type { TensorEntry } from '../checkpoint/types.js';
import { type GraphBuilder, type Value } from './builder.js';

/** Largest integer of an activation, besides the zero point of 128: 1 to 255 in u8. */
const LARGEST = 127;
const ZERO_POINT = 128;

/** A row of zeros has this scale: its integers are the zero point. */
const SMALLEST_SCALE = 1e-30;

/**
 * x · Wᵀ (+ bias) in integers: W as int8 with a scale for each output, x as u8 with a scale for each row (one token), made
 * anew for every call. No scale is shared between rows, and sums of integers are exact: a row's result depends on
 * nothing but the row.
 */
export function int8Linear(g: GraphBuilder, x: Value, weight: TensorEntry, bias?: TensorEntry): Value {
  const { integers, scales } = quantizedRows(g, x);
  const { values, scales: outputScales } = g.int8Weight(weight);
  const outputs = weight.shape[0]!;
  const zeros = g.once(`${outputs} zero points`, () => g.constant(new Int8Array(outputs), [outputs]));
  const one = g.once('scale 1', () => g.constant(Float32Array.of(1), []));
  const product = g.op('QGemm', [integers, one, zeroPoint(g), values, outputScales, zeros], { transB: 1 });
  const scaled = g.op('Mul', [product, scales]);
  return bias === undefined ? scaled : g.op('Add', [scaled, g.weight(bias)]);
}

/** Integers [rows, in] and scales [rows, 1]; once for all products of the same x. */
function quantizedRows(g: GraphBuilder, x: Value): { integers: Value; scales: Value } {
  return g.once(`int8 rows of ${x}`, () => {
    const lastAxis = g.once('axis 1', () => g.int64s(1));
    const perUnit = g.once('1 / largest', () => g.constant(Float32Array.of(1 / LARGEST), []));
    const smallest = g.once('smallest scale', () => g.constant(Float32Array.of(SMALLEST_SCALE), []));
    const largest = g.op('ReduceMax', [g.op('Abs', [x]), lastAxis], { keepdims: 1 });
    const scales = g.op('Max', [g.op('Mul', [largest, perUnit]), smallest]);
    const perRow = g.op('Squeeze', [scales, lastAxis]);
    const zeroPoints = g.onceInLayer('zero points of rows', () =>
      g.op('Expand', [zeroPoint(g), g.op('Shape', [perRow])]),
    );
    return { integers: g.op('QuantizeLinear', [x, perRow, zeroPoints], { axis: 0 }), scales };
  });
}

function zeroPoint(g: GraphBuilder): Value {
  return g.once('zero point', () => g.constant(Uint8Array.of(ZERO_POINT), []));
}
