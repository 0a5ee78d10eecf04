import { ModelError } from '../../contract/failures.js';
import type { Checkpoint, TensorEntry } from '../checkpoint/types.js';

/** `count` equal shares of a tensor's rows, in place: rows lie one after the other. Count must divide them. */
export function shares(tensor: TensorEntry, count: number): TensorEntry[] {
  const [rows, ...rest] = tensor.shape as [number, ...number[]];
  const bytes = tensor.bytes / count;
  return Array.from({ length: count }, (_, i) => ({
    ...tensor,
    name: `${tensor.name}[${i}/${count}]`,
    shape: [rows / count, ...rest],
    offset: tensor.offset + i * bytes,
    bytes,
  }));
}

/** Finds an architecture's tensors in a checkpoint, whose names may carry a prefix (`bert.`, `esm.`, `module.`). */
export class Tensors {
  private constructor(
    private readonly checkpoint: Checkpoint,
    private readonly prefix: string,
  ) {}

  /** The tensors under whatever precedes `anchor`, or undefined when no tensor's name ends with it. */
  static find(checkpoint: Checkpoint, anchor: string): Tensors | undefined {
    const found = [...checkpoint.tensors.keys()]
      .filter((name) => name === anchor || name.endsWith(`.${anchor}`))
      .sort((a, b) => a.length - b.length)[0];
    return found === undefined ? undefined : new Tensors(checkpoint, found.slice(0, found.length - anchor.length));
  }

  has(name: string): boolean {
    return this.checkpoint.tensors.has(this.prefix + name);
  }

  /**
   * A tensor by its name without prefix. A size of -1 in `shape` stands for any size.
   * @throws ModelError when it is missing, has another shape or holds no floats.
   */
  get(name: string, shape: number[]): TensorEntry {
    const entry = this.checkpoint.tensors.get(this.prefix + name);
    const expected = `[${shape.map((size) => (size < 0 ? 'any' : size)).join(', ')}]`;
    if (entry === undefined) throw this.error(`tensor ${this.prefix + name} of shape ${expected} is missing`);
    if (entry.shape.length !== shape.length || shape.some((size, i) => size >= 0 && size !== entry.shape[i])) {
      throw this.error(`tensor ${entry.name} has shape [${entry.shape.join(', ')}], expected ${expected}`);
    }
    if (entry.dtype === 'I64') throw this.error(`tensor ${entry.name} has type I64, expected F32, F16 or BF16`);
    return entry;
  }

  /** How many numbered blocks there are: `layers('layers.{}.fc1.weight')`. */
  layers(pattern: string): number {
    let count = 0;
    while (this.has(pattern.replace('{}', String(count)))) count += 1;
    return count;
  }

  error(what: string): ModelError {
    return new ModelError({
      what,
      where: this.checkpoint.source,
      next: 'Check that the download is complete and is the model you meant',
    });
  }
}
