import { ModelError } from '../../contract/failures.js';
import type { Checkpoint, TensorEntry } from '../checkpoint/types.js';
import { float, GraphBuilder } from './builder.js';
import { linear } from './encoder.js';
import { Tensors } from './tensors.js';

/** Classes of the classifier: 0 others, 1 virus. */
export const CLASSES = 2;

const HIDDEN_WEIGHT = 'hidden_layer.weight';
const BATCH_NORM_EPSILON = 1e-5;

/** The classifier as ONNX: `features` float32 [rows, inputSize] -> `probabilities` float32 [rows, 2]. */
export interface ClassifierGraph {
  /** Features a row: nucleotide vector then protein vector. */
  inputSize: number;
  bytes: Uint8Array;
  /** The tensors in use. */
  weights: TensorEntry[];
}

/**
 * VirNucPro's classifier: Linear, BatchNorm with its running statistics, ReLU, Linear, softmax.
 * @param locate name of a checkpoint file in the weights folder.
 * @throws ModelError when a tensor is missing or has another shape.
 */
export function buildClassifier(checkpoint: Checkpoint, locate: (file: string) => string): ClassifierGraph {
  const t = Tensors.find(checkpoint, HIDDEN_WEIGHT);
  if (t === undefined) {
    throw new ModelError({
      what: `no classifier: tensor ${HIDDEN_WEIGHT} is missing`,
      where: checkpoint.source,
      next: "Name one of VirNucPro's classifier files, e.g. 500_model.pth",
    });
  }
  const hiddenWeight = t.get(HIDDEN_WEIGHT, [-1, -1]);
  const [hidden, inputSize] = hiddenWeight.shape as [number, number];

  const g = new GraphBuilder(locate);
  const features = g.input('features', 'float32', ['rows', inputSize]);
  const dense = linear(g, features, hiddenWeight, t.get('hidden_layer.bias', [hidden]));
  const statistics = ['weight', 'bias', 'running_mean', 'running_var'].map((name) =>
    g.weight(t.get(`bn1.${name}`, [hidden])),
  );
  const normed = g.op('BatchNormalization', [dense, ...statistics], { epsilon: float(BATCH_NORM_EPSILON) });
  const logits = linear(
    g,
    g.op('Relu', [normed]),
    t.get('output_layer.weight', [CLASSES, hidden]),
    t.get('output_layer.bias', [CLASSES]),
  );
  g.op('Softmax', [logits], { axis: -1 }, 'probabilities');
  g.output('probabilities', 'float32', ['rows', CLASSES]);
  return { inputSize, bytes: g.build(), weights: g.tensors };
}
