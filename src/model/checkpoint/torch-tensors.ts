import { ModelError } from '../../contract/failures.js';
import { damaged } from './damaged.js';
import {
  type GlobalRole,
  type PickleDict,
  PickleGlobal,
  PickleObject,
  PickleReference,
  type PickleValue,
} from './pickle.js';
import { ELEMENT_BYTES, MAX_TENSORS, isCount, tensorBytes } from './tensor-size.js';
import type { TensorDtype, TensorEntry } from './types.js';
import type { ZipRecord } from './zip.js';

const STORAGE_DTYPES: ReadonlyMap<string, TensorDtype> = new Map([
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
]);

const ORDERED_DICT = 'collections.OrderedDict';
const TENSOR = 'torch._utils._rebuild_tensor_v2';
const PARAMETER = 'torch._utils._rebuild_parameter';
/** The original's classifier is a whole pickled module of these classes. */
const MODULES = [
  '__main__.MLPClassifier',
  'torch.nn.modules.linear.Linear',
  'torch.nn.modules.batchnorm.BatchNorm1d',
  'torch.nn.modules.activation.ReLU',
  'torch.nn.modules.dropout.Dropout',
];

/** Every global that our checkpoints need: state dicts, fair-esm's settings and the original's classifier. */
export const TORCH_GLOBALS: ReadonlyMap<string, GlobalRole> = new Map<string, GlobalRole>([
  [ORDERED_DICT, 'called'],
  ['builtins.set', 'called'],
  ['__builtin__.set', 'called'],
  [TENSOR, 'called'],
  [PARAMETER, 'called'],
  ...[...STORAGE_DTYPES.keys()].map((name): [string, GlobalRole] => [name, 'named']),
  ['argparse.Namespace', 'made'],
  ...MODULES.map((name): [string, GlobalRole] => [name, 'made']),
]);

/** The classifier nests one level. Also ends a module that holds itself. */
const MAX_MODULE_DEPTH = 32;
/** A module has a slot for each of its parameters, buffers and modules: the classifier has under 100 in all. */
const MAX_SLOTS = MAX_TENSORS;

/**
 * The tensors of a pickled state dict, of a fair-esm checkpoint (the state dict under `model`, its names as they are),
 * or of a whole module (names as its `state_dict()` would give them).
 * @param storageOf the record of a storage key, if the file has it.
 * @throws ModelError naming the tensor that is not contiguous, lies outside its storage or is otherwise unusable.
 */
export function torchTensors(
  root: PickleValue,
  storageOf: (key: string) => ZipRecord | undefined,
  file: string,
): TensorEntry[] {
  const reader = new TensorReader(storageOf, file);
  if (isModule(root)) {
    reader.addModule('', root, 0);
  } else {
    const dict = toDict(root);
    reader.addAll('', toDict(dict?.get('model') ?? null) ?? dict);
  }
  return reader.entries;
}

class TensorReader {
  readonly entries: TensorEntry[] = [];
  /** Modules, and the slots in them, that were looked at: one object may stand in many places. */
  private slots = 0;

  constructor(
    private readonly storageOf: (key: string) => ZipRecord | undefined,
    private readonly file: string,
  ) {}

  addAll(prefix: string, tensors: PickleDict | undefined): void {
    if (tensors === undefined) {
      throw new ModelError({
        what: 'the pickle holds no state dict: neither a dictionary of tensors nor a module',
        where: this.file,
        next: 'Save it again with torch.save(model.state_dict(), ...)',
      });
    }
    for (const [name, value] of tensors) {
      if (typeof name !== 'string' || name === '') throw damaged('a tensor of the state dict has no name', this.file);
      this.add(prefix + name, value);
    }
  }

  /** As `torch.nn.Module.state_dict`: parameters, buffers, then the modules inside; empty slots are None. */
  addModule(prefix: string, module: PickleObject, depth: number): void {
    const parts = module.state instanceof Map ? module.state : undefined;
    const filled = (part: string): PickleDict | undefined => {
      const slots = toDict(parts?.get(part) ?? null);
      this.count(slots?.size ?? 0, depth);
      return slots && new Map([...slots].filter(([, value]) => value !== null));
    };
    this.count(1, depth);
    this.addAll(prefix, filled('_parameters'));
    this.addAll(prefix, filled('_buffers'));
    for (const [name, inner] of filled('_modules') ?? []) {
      if (typeof name !== 'string' || !isModule(inner)) throw damaged(`module ${prefix} holds no module`, this.file);
      this.addModule(`${prefix}${name}.`, inner, depth + 1);
    }
  }

  private count(slots: number, depth: number): void {
    this.slots += slots;
    if (depth <= MAX_MODULE_DEPTH && this.slots <= MAX_SLOTS) return;
    throw damaged(`modules nest deeper than ${MAX_MODULE_DEPTH} or have more than ${MAX_SLOTS} slots`, this.file);
  }

  private add(name: string, value: PickleValue): void {
    if (this.entries.length === MAX_TENSORS) throw damaged(`more than ${MAX_TENSORS} tensors`, this.file);
    const tensor = isCall(value, PARAMETER) ? value.args[0] : value;
    if (!isCall(tensor, TENSOR)) throw this.bad(name, 'is not a tensor');
    const [reference, first, shape, strides] = tensor.args;
    if (!(reference instanceof PickleReference) || !Array.isArray(shape) || !Array.isArray(strides)) {
      throw this.bad(name, 'is not described as torch does');
    }
    const { record, dtype } = this.storage(name, reference);
    const bytes = tensorBytes(dtype, shape);
    if (bytes === undefined || !isCount(first)) throw this.bad(name, 'has an impossible shape or offset');
    if (!isContiguous(shape as number[], strides)) {
      throw new ModelError({
        what: `tensor ${name} is not contiguous (shape ${shape.join(' x ')}), but weights are read in place`,
        where: this.file,
        next: 'Save it again with every tensor made .contiguous(), or convert it to safetensors',
      });
    }
    const start = first * ELEMENT_BYTES[dtype];
    if (start + bytes > record.bytes) {
      throw this.bad(name, `needs bytes ${start} to ${start + bytes} of a storage of ${record.bytes} bytes`);
    }
    this.entries.push({ name, dtype, shape: shape as number[], file: this.file, offset: record.offset + start, bytes });
  }

  /** A reference is ('storage', storage class, key, device, elements): torch/serialization.py, persistent_id. */
  private storage(name: string, reference: PickleReference): { record: ZipRecord; dtype: TensorDtype } {
    const [kind, type, key, , elements] = Array.isArray(reference.id) ? reference.id : [];
    const dtype = type instanceof PickleGlobal ? STORAGE_DTYPES.get(type.name) : undefined;
    if (kind !== 'storage' || dtype === undefined || typeof key !== 'string' || !isCount(elements)) {
      throw this.bad(name, 'refers to no storage of a known type');
    }
    const record = this.storageOf(key);
    if (record === undefined) throw this.bad(name, `refers to the storage ${JSON.stringify(key)}, which is not there`);
    if (record.bytes !== elements * ELEMENT_BYTES[dtype]) {
      throw this.bad(name, `claims ${elements} elements of ${dtype} in a storage of ${record.bytes} bytes`);
    }
    return { record, dtype };
  }

  private bad(name: string, problem: string): ModelError {
    return damaged(`tensor ${name} ${problem}`, this.file);
  }
}

/** Row-major without gaps; the stride of a dimension of 1 (or of an empty tensor) means nothing. */
function isContiguous(shape: number[], strides: PickleValue[]): boolean {
  if (strides.length !== shape.length) return false;
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== expected && !shape.includes(0)) return false;
    expected *= shape[i]!;
  }
  return true;
}

function toDict(value: PickleValue): PickleDict | undefined {
  if (value instanceof Map) return value;
  return isCall(value, ORDERED_DICT) && value.args.length === 0 ? value.items : undefined;
}

function isCall(value: PickleValue | undefined, global: string): value is PickleObject {
  return value instanceof PickleObject && value.global === global;
}

function isModule(value: PickleValue): value is PickleObject {
  return value instanceof PickleObject && MODULES.includes(value.global);
}
