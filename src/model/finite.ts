import { ModelError } from '../contract/failures.js';
import { readTensor } from './checkpoint/read-tensor.js';
import type { TensorEntry } from './checkpoint/types.js';

/**
 * Reads tensors and refuses NaN and infinity.
 * @throws ModelError naming the first tensor that holds one.
 */
export async function assertFinite(tensors: Iterable<TensorEntry>): Promise<void> {
  for (const tensor of tensors) {
    const values = await readTensor(tensor);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad < 0) continue;
    throw new ModelError({
      what: `tensor ${tensor.name} holds ${values[bad]} at element ${bad}`,
      where: tensor.file,
      next: 'Download the checkpoint again; if it stays so, the training went wrong',
    });
  }
}
