import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { ModelError } from '../../../../src/contract/failures.js';
import { PickleGlobal, PickleObject, PickleReference, readPickle } from '../../../../src/model/checkpoint/pickle.js';
import type { GlobalRole } from '../../../../src/model/checkpoint/pickle.js';
import { MODELS, call, flip, op, pickle, random, stateDict, tensor } from './support.js';

const ALLOWED = new Map<string, GlobalRole>([
  ['collections.OrderedDict', 'called'],
  ['argparse.Namespace', 'made'],
  ['torch.FloatStorage', 'named'],
]);

const read = (bytes: Buffer, allowed = ALLOWED): unknown => readPickle(bytes, allowed, 'm.pt');

function refuses(bytes: Buffer, pattern: RegExp, allowed = ALLOWED): void {
  assert.throws(
    () => read(bytes, allowed),
    (error: unknown) => {
      assert(error instanceof ModelError, String((error as Error)?.stack));
      assert.match(error.message, pattern);
      return true;
    },
  );
}

describe('readPickle', () => {
  it('reads values of protocols 2 and 4', () => {
    const value = pickle(op.mark, op.none, op.false, op.int(-5), op.text('é'), op.emptyList, op.emptyDict, op.tuple);
    assert.deepEqual(read(value), [null, false, -5, 'é', [], new Map()]);
    const four = Buffer.concat([
      op.proto(4),
      Buffer.from([0x95, 11, 0, 0, 0, 0, 0, 0, 0]), // FRAME
      Buffer.from([0x8c, 1, 0x61]), // SHORT_BINUNICODE 'a'
      op.memoize,
      Buffer.from('K\x07'), // BININT1
      op.get(0),
      op.tuple2,
      op.stop,
    ]);
    assert.deepEqual(read(Buffer.concat([four.subarray(0, -1), op.tuple2, op.stop])), ['a', [7, 'a']]);
  });

  it('notes calls, states, items and references without doing anything', () => {
    const dict = Buffer.concat([call('collections', 'OrderedDict'), op.text('k'), op.int(1), op.setItem]);
    const settings = Buffer.concat([
      op.global('argparse', 'Namespace'),
      op.emptyTuple,
      op.newobj,
      op.emptyDict,
      op.build,
    ]);
    const reference = Buffer.concat([op.global('torch', 'FloatStorage'), op.tuple1, op.persid]);
    const value = read(pickle(op.mark, dict, settings, reference, op.tuple)) as unknown[];
    const ordered = new PickleObject('collections.OrderedDict', []);
    ordered.items.set('k', 1);
    const namespace = new PickleObject('argparse.Namespace', []);
    namespace.state = new Map();
    assert.deepEqual(value, [
      ordered,
      namespace,
      new PickleReference([new PickleGlobal('torch.FloatStorage', 'named')]),
    ]);
  });

  describe('refuses every global that is not on the list, by name', () => {
    const attacks: Record<string, [Buffer, RegExp]> = {
      'os.system': [pickle(call('os', 'system', op.text('id'))), /asks for os\.system; nothing was run/],
      'posix.system': [pickle(call('posix', 'system', op.text('id'))), /asks for posix\.system/],
      eval: [pickle(call('builtins', 'eval', op.text('1'))), /asks for builtins\.eval/],
      exec: [pickle(call('builtins', 'exec', op.text('1'))), /asks for builtins\.exec/],
      'python 2 eval': [pickle(call('__builtin__', 'eval', op.text('1'))), /asks for __builtin__\.eval/],
      getattr: [pickle(call('builtins', 'getattr', op.text('a'), op.text('b'))), /asks for builtins\.getattr/],
      subprocess: [pickle(call('subprocess', 'Popen', op.text('id'))), /asks for subprocess\.Popen/],
      'torch.load again': [
        pickle(call('torch.serialization', 'load', op.text('x'))),
        /asks for torch\.serialization\.load/,
      ],
      'never called': [pickle(op.global('os', 'system')), /asks for os\.system/],
      'after harmless values': [
        pickle(op.mark, call('collections', 'OrderedDict'), call('os', 'system', op.text('id')), op.tuple),
        /asks for os\.system/,
      ],
      'by STACK_GLOBAL': [
        Buffer.concat([op.proto(4), op.text('os'), op.text('system'), op.stackGlobal, op.stop]),
        /asks for os\.system/,
      ],
      'by STACK_GLOBAL from memoized strings': [
        Buffer.concat([
          op.proto(4),
          op.mark,
          op.text('system'),
          op.put(7),
          op.text('os'),
          op.memoize,
          op.tuple,
          op.get(1),
          op.get(7),
          op.stackGlobal,
          op.tuple2,
          op.stop,
        ]),
        /asks for os\.system/,
      ],
      'a dotted name': [pickle(op.global('collections', 'OrderedDict.__reduce__')), /OrderedDict\.__reduce__/],
      'a dotted module': [pickle(op.global('collections.OrderedDict', 'x')), /asks for collections\.OrderedDict\.x/],
      'a name with spaces': [pickle(op.global('collections', 'OrderedDict ')), /asks for collections\.OrderedDict ;/],
      'object prototype names': [pickle(op.global('constructor', 'constructor')), /asks for constructor\.constructor/],
      INST: [pickle(op.mark, op.text('id'), Buffer.from('ios\nsystem\n')), /opcode INST/],
      OBJ: [pickle(op.mark, op.global('collections', 'OrderedDict'), op.text('id'), Buffer.from('o')), /opcode OBJ/],
      EXT1: [pickle(Buffer.from([0x82, 1])), /opcode EXT1/],
      EXT2: [pickle(Buffer.from([0x83, 1, 0])), /opcode EXT2/],
      EXT4: [pickle(Buffer.from([0x84, 1, 0, 0, 0])), /opcode EXT4/],
      PERSID: [pickle(Buffer.from('Pstorage\n')), /opcode PERSID/],
      NEWOBJ_EX: [pickle(Buffer.from([0x92])), /opcode NEWOBJ_EX/],
      'an unknown opcode': [pickle(Buffer.from([0xff])), /opcode 0xff/],
    };
    for (const [name, [bytes, pattern]] of Object.entries(attacks)) {
      it(name, () => refuses(bytes, pattern));
    }
  });

  describe('refuses what torch never writes', () => {
    const attacks: Record<string, [Buffer, RegExp]> = {
      'a call of a string': [
        pickle(op.text('os.system'), op.emptyTuple, op.reduce),
        /calls something that is not a global/,
      ],
      'a call of a result': [
        pickle(call('collections', 'OrderedDict'), op.emptyTuple, op.reduce),
        /calls something that is not a global/,
      ],
      'a call of a class that is only named': [
        pickle(call('torch', 'FloatStorage', op.int(4))),
        /not use torch\.FloatStorage/,
      ],
      'a call of a class that is only made': [pickle(call('argparse', 'Namespace')), /not use argparse\.Namespace/],
      'arguments that are no tuple': [
        pickle(op.global('collections', 'OrderedDict'), op.int(1), op.reduce),
        /not use coll/,
      ],
      'a state on a dictionary': [pickle(op.emptyDict, op.emptyDict, op.build), /takes none/],
      'two states': [
        pickle(
          op.global('argparse', 'Namespace'),
          op.emptyTuple,
          op.newobj,
          op.emptyDict,
          op.build,
          op.emptyDict,
          op.build,
        ),
        /takes none/,
      ],
      'a global named by a number': [pickle(op.int(1), op.text('system'), op.stackGlobal), /by no string/],
      'the same key twice': [
        pickle(op.emptyDict, op.mark, op.text('a'), op.int(1), op.text('a'), op.int(2), op.setItems),
        /sets the key a twice/,
      ],
      'an odd number of items': [pickle(op.emptyDict, op.mark, op.text('a'), op.setItems), /sets items of no/],
      'items on a list': [pickle(op.emptyList, op.mark, op.text('a'), op.int(1), op.setItems), /sets items of no/],
      'an append to a dictionary': [pickle(op.emptyDict, op.int(1), Buffer.from('a')), /appends to something/],
      'an unset memo': [pickle(op.get(3)), /recalls value 3/],
      'an empty stack': [pickle(op.tuple2), /takes values that are not there/],
      'values below a mark': [pickle(op.int(1), op.mark, op.tuple1, op.tuple), /takes values that are not there/],
      'a mark never set': [pickle(op.tuple), /closes a mark/],
      'values left over': [pickle(op.int(1), op.int(2)), /left over/],
      'bytes after the end': [Buffer.concat([pickle(op.int(1)), op.stop]), /goes on after its end/],
      'no end': [Buffer.concat([op.proto(), op.int(1)]), /cut short/],
      'protocol 0': [Buffer.from('I1\n.'), /protocol 2 to 5/],
      'protocol 6': [Buffer.concat([op.proto(6), op.none, op.stop]), /protocol 2 to 5/],
      'text that is not UTF-8': [pickle(Buffer.from([0x8c, 1, 0xff])), /not UTF-8/],
      'a large integer': [pickle(Buffer.from([0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1])), /integer of 9 bytes/],
      'an inexact integer': [pickle(Buffer.from([0x8a, 8, 1, 0, 0, 0, 0, 0, 0x20, 0])), /integer 9007199254740992/],
    };
    for (const [name, [bytes, pattern]] of Object.entries(attacks)) {
      it(name, () => refuses(bytes, pattern));
    }
  });

  describe('stops at its limits', () => {
    it('claimed lengths', () => {
      refuses(pickle(Buffer.from([0x58, 0xff, 0xff, 0xff, 0xff])), /cut short/);
      refuses(
        Buffer.concat([op.proto(4), Buffer.from([0x95, 255, 255, 255, 255, 255, 255, 255, 127])]),
        /has a frame of/,
      );
      refuses(Buffer.alloc(17 << 20), /pickle of 17825792 bytes, allowed are 16777216/);
    });

    it('marks, opcodes, memo', () => {
      refuses(pickle(Buffer.alloc(1000, '(')), /nests deeper than 200/);
      refuses(pickle(Buffer.alloc(500_001, '}')), /more than 500000 opcodes/);
      const memos = Buffer.alloc(5 * 250_001);
      for (let i = 0; i <= 250_000; i++) {
        memos[5 * i] = 0x72; // LONG_BINPUT
        memos.writeUInt32LE(i, 5 * i + 1);
      }
      refuses(pickle(op.none, memos), /memoizes more than 250000/);
    });

    it('takes deep values and values that hold themselves without falling over', () => {
      assert.equal((read(pickle(op.none, Buffer.alloc(499_000, 0x85))) as unknown[]).length, 1);
      const self = read(pickle(op.emptyList, op.put(0), op.get(0), Buffer.from('a'))) as unknown[];
      assert.equal(self[0], self);
      // A key is compared by identity, never printed or walked.
      const deepKey = Buffer.concat([op.none, Buffer.alloc(100_000, 0x85), op.put(0)]);
      const twice = [op.mark, deepKey, op.none, op.get(0), op.none, op.setItems];
      refuses(pickle(op.emptyDict, ...twice), /sets the key object twice/);
    });
  });

  it('answers thousands of damaged pickles with a value or a ModelError', async () => {
    const next = random(2);
    const torch = await readFile(`${MODELS}/classifier-tiny/tiny_model.pth`);
    const start = torch.indexOf(op.proto());
    const whole = torch.subarray(start, start + 2265);
    const all = new Map<string, GlobalRole>(
      [...whole.toString('latin1').matchAll(/c([\w.]+)\n(\w+)\n/g)].map(([, module, name]) => [
        `${module}.${name}`,
        'called',
      ]),
    );
    const made = [...all.keys()].filter((name) => /nn\.modules|__main__/.test(name));
    for (const name of made) all.set(name, 'made');
    all.set('torch.FloatStorage', 'named').set('torch.LongStorage', 'named');
    assert(read(whole, all) instanceof PickleObject);
    const small = pickle(stateDict({ a: tensor(), b: tensor() }));
    for (let i = 0; i < 4000; i++) {
      const from = i % 2 === 0 ? whole : small;
      let damagedBytes = flip(from, next(from.length), next(8));
      if (i % 3 === 0) damagedBytes = flip(damagedBytes, next(from.length), next(8));
      if (i % 5 === 0) damagedBytes = damagedBytes.subarray(0, next(from.length));
      try {
        read(damagedBytes, all);
      } catch (error) {
        assert(error instanceof ModelError, String((error as Error)?.stack));
      }
    }
  });
});
