import { ModelError } from '../../contract/failures.js';
import { damaged } from './damaged.js';

/**
 * A pickle read as data. Nothing is imported, looked up or called: a stream that says "call f with x" gives a note that
 * it says so, and only for an f on the caller's list. Whoever reads the notes decides what they mean.
 */
export type PickleValue =
  null | boolean | number | string | PickleValue[] | PickleDict | PickleGlobal | PickleObject | PickleReference;

export type PickleDict = Map<PickleValue, PickleValue>;

/** What an allowed global may be used for: called (REDUCE), made (NEWOBJ), or only named. */
export type GlobalRole = 'called' | 'made' | 'named';

/** The name of an allowed global, as `module.name`. */
export class PickleGlobal {
  constructor(
    readonly name: string,
    readonly role: GlobalRole,
  ) {}
}

/** A note that the stream makes an object of `global` with `args`, then sets `items` and `state` on it. */
export class PickleObject {
  readonly items: PickleDict = new Map();
  state: PickleValue = null;

  constructor(
    readonly global: string,
    readonly args: PickleValue[],
  ) {}
}

/** A reference to something outside the stream (BINPERSID): in torch files, to a storage. */
export class PickleReference {
  constructor(readonly id: PickleValue) {}
}

/** ESM-2 15B's pickle has 0.1 MB; read into memory as a whole. */
export const MAX_PICKLE_BYTES = 16 << 20;
/** ESM-2 15B takes about 30,000. Of empty dictionaries, so many take 130 MB. */
const MAX_OPCODES = 500_000;
/** torch memoizes almost every value: about half as many as opcodes. */
const MAX_MEMO = 250_000;
/** Open marks. Modules nest about three a level and a state dict not at all. */
const MAX_NESTING = 200;

/**
 * Reads a pickle of protocol 2 to 5 with the opcodes that `torch.save` writes.
 * @param allowed the globals that may be named, by `module.name`.
 * @param where the file, for messages.
 * @throws ModelError naming the first global that is not allowed, or what is malformed or too large.
 */
export function readPickle(bytes: Buffer, allowed: ReadonlyMap<string, GlobalRole>, where: string): PickleValue {
  return new PickleMachine(bytes, allowed, where).run();
}

// Opcode names: Lib/pickle.py of CPython.
const REFUSED_OPCODES: Record<number, string> = {
  0x69: 'INST',
  0x6f: 'OBJ',
  0x50: 'PERSID',
  0x82: 'EXT1',
  0x83: 'EXT2',
  0x84: 'EXT4',
  0x92: 'NEWOBJ_EX',
};

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class PickleMachine {
  private readonly stack: PickleValue[] = [];
  /** Stack heights at the open marks. */
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, PickleValue>();
  private at = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly allowed: ReadonlyMap<string, GlobalRole>,
    private readonly where: string,
  ) {
    if (bytes.length > MAX_PICKLE_BYTES) {
      throw damaged(`pickle of ${bytes.length} bytes, allowed are ${MAX_PICKLE_BYTES}`, where);
    }
  }

  run(): PickleValue {
    const [opcode, protocol] = [this.uint8(), this.uint8()];
    if (opcode !== 0x80 || protocol < 2 || protocol > 5) throw this.malformed('does not begin with protocol 2 to 5');
    for (let count = 0; count < MAX_OPCODES; count++) {
      const code = this.uint8();
      if (code === 0x2e) return this.stop();
      this.step(code);
    }
    throw this.malformed(`has more than ${MAX_OPCODES} opcodes`);
  }

  private step(opcode: number): void {
    switch (opcode) {
      case 0x95: // FRAME
        return this.frame();
      case 0x28: // MARK
        if (this.marks.length === MAX_NESTING) throw this.malformed(`nests deeper than ${MAX_NESTING}`);
        this.marks.push(this.stack.length);
        return;

      case 0x4e: // NONE
        return this.push(null);
      case 0x88: // NEWTRUE
        return this.push(true);
      case 0x89: // NEWFALSE
        return this.push(false);
      case 0x4b: // BININT1
        return this.push(this.uint8());
      case 0x4d: // BININT2
        return this.push(this.take(2).readUInt16LE());
      case 0x4a: // BININT
        return this.push(this.take(4).readInt32LE());
      case 0x8a: // LONG1
        return this.push(this.long());
      case 0x47: // BINFLOAT
        return this.push(this.take(8).readDoubleBE());
      case 0x8c: // SHORT_BINUNICODE
        return this.push(this.text(this.uint8()));
      case 0x58: // BINUNICODE
        return this.push(this.text(this.uint32()));

      case 0x29: // EMPTY_TUPLE
      case 0x5d: // EMPTY_LIST
      case 0x8f: // EMPTY_SET
        return this.push([]);
      case 0x7d: // EMPTY_DICT
        return this.push(new Map());
      case 0x85: // TUPLE1
        return this.push(this.popMany(1));
      case 0x86: // TUPLE2
        return this.push(this.popMany(2));
      case 0x87: // TUPLE3
        return this.push(this.popMany(3));
      case 0x74: // TUPLE
        return this.push(this.popToMark());
      case 0x61: // APPEND
        return this.append([this.pop()]);
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        return this.append(this.popToMark());
      case 0x73: // SETITEM
        return this.setItems(this.popMany(2));
      case 0x75: // SETITEMS
        return this.setItems(this.popToMark());

      case 0x71: // BINPUT
        return this.memoize(this.uint8());
      case 0x72: // LONG_BINPUT
        return this.memoize(this.uint32());
      case 0x94: // MEMOIZE
        return this.memoize(this.memo.size);
      case 0x68: // BINGET
        return this.recall(this.uint8());
      case 0x6a: // LONG_BINGET
        return this.recall(this.uint32());

      case 0x63: // GLOBAL
        return this.global(this.line(), this.line());
      case 0x93: // STACK_GLOBAL
        return this.global(...(this.popMany(2) as [PickleValue, PickleValue]));
      case 0x52: // REDUCE
        return this.object('called');
      case 0x81: // NEWOBJ
        return this.object('made');
      case 0x62: // BUILD
        return this.build();
      case 0x51: // BINPERSID
        return this.push(new PickleReference(this.pop()));
      default:
        throw this.refused(`opcode ${REFUSED_OPCODES[opcode] ?? `0x${opcode.toString(16).padStart(2, '0')}`}`);
    }
  }

  private stop(): PickleValue {
    const value = this.pop();
    if (this.stack.length > 0 || this.marks.length > 0) throw this.malformed('ends with values left over');
    if (this.at < this.bytes.length) throw this.malformed('goes on after its end');
    return value;
  }

  private global(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw this.malformed('names a global by no string');
    const global = `${module}.${name}`;
    const role = this.allowed.get(global);
    if (role === undefined) throw this.refused(global);
    this.push(new PickleGlobal(global, role));
  }

  private object(role: GlobalRole): void {
    const [callee, args] = this.popMany(2) as [PickleValue, PickleValue];
    if (!(callee instanceof PickleGlobal)) throw this.malformed('calls something that is not a global');
    if (callee.role !== role || !Array.isArray(args)) throw this.malformed(`does not use ${callee.name} as torch does`);
    this.push(new PickleObject(callee.name, args));
  }

  private build(): void {
    const [object, state] = this.popMany(2) as [PickleValue, PickleValue];
    if (!(object instanceof PickleObject) || object.state !== null) {
      throw this.malformed('sets the state of something that takes none');
    }
    object.state = state;
    this.push(object);
  }

  private append(values: PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.malformed('appends to something that is not a list');
    for (const value of values) list.push(value);
  }

  private setItems(keysAndValues: PickleValue[]): void {
    const target = this.top();
    const items = target instanceof PickleObject ? target.items : target;
    if (!(items instanceof Map) || keysAndValues.length % 2 !== 0) throw this.malformed('sets items of no dictionary');
    for (let i = 0; i < keysAndValues.length; i += 2) {
      const key = keysAndValues[i]!;
      if (items.has(key)) throw this.malformed(`sets the key ${typeof key === 'string' ? key : typeof key} twice`);
      items.set(key, keysAndValues[i + 1]!);
    }
  }

  private memoize(index: number): void {
    if (this.memo.size === MAX_MEMO) throw this.malformed(`memoizes more than ${MAX_MEMO} values`);
    this.memo.set(index, this.top());
  }

  private recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.malformed(`recalls value ${index}, which it never memoized`);
    this.push(value);
  }

  private frame(): void {
    const length = this.take(8).readBigUInt64LE();
    if (length > BigInt(this.bytes.length - this.at)) throw this.malformed(`has a frame of ${length} bytes`);
  }

  private long(): number {
    const bytes = this.take(this.uint8());
    if (bytes.length > 8) throw this.malformed(`has an integer of ${bytes.length} bytes`);
    const value = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const number = Number(BigInt.asIntN(8 * bytes.length, value));
    if (!Number.isSafeInteger(number)) throw this.malformed(`has the integer ${number}`);
    return number;
  }

  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.malformed('is cut short');
    const text = this.text(end - this.at);
    this.at += 1;
    return text;
  }

  private text(length: number): string {
    try {
      return UTF8.decode(this.take(length));
    } catch (error) {
      throw error instanceof ModelError ? error : this.malformed('holds text that is not UTF-8');
    }
  }

  private uint8(): number {
    return this.take(1)[0]!;
  }

  private uint32(): number {
    return this.take(4).readUInt32LE();
  }

  private take(length: number): Buffer {
    if (length > this.bytes.length - this.at) throw this.malformed('is cut short');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  private push(value: PickleValue): void {
    this.stack.push(value);
  }

  private pop(): PickleValue {
    return this.popMany(1)[0]!;
  }

  private popMany(count: number): PickleValue[] {
    this.need(count);
    return this.stack.splice(-count);
  }

  private popToMark(): PickleValue[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.malformed('closes a mark that it never set');
    return this.stack.splice(mark);
  }

  private top(): PickleValue {
    this.need(1);
    return this.stack.at(-1)!;
  }

  /** Values below the last mark are out of reach. */
  private need(count: number): void {
    if (this.stack.length - (this.marks.at(-1) ?? 0) < count) throw this.malformed('takes values that are not there');
  }

  private malformed(problem: string): ModelError {
    return damaged(`pickle ${problem} (before byte ${this.at})`, this.where);
  }

  private refused(name: string): ModelError {
    return new ModelError({
      what: `pickle asks for ${name}; nothing was run. Allowed are ${[...this.allowed.keys()].join(', ')}`,
      where: this.where,
      next: 'Use a checkpoint that holds only weights, best a safetensors file, from a source that you trust',
    });
  }
}
