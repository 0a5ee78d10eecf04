import assert from 'node:assert/strict';
import { encodeOnnxModel } from '../../../../src/model/graph/onnx.js';

describe('encodeOnnxModel', () => {
  it('writes protobuf with the field numbers of onnx.proto', () => {
    const bytes = encodeOnnxModel({
      node: [{ opType: 'Abs', domain: '', name: 'y', input: ['x'], output: ['y'], attribute: [] }],
      initializer: [],
      input: [{ name: 'x', type: 'float32', dims: ['n', 2] }],
      output: [],
    });
    const hex = (text: string): string => Buffer.from(text).toString('hex');
    const node = `0a01${hex('x')} 1201${hex('y')} 1a01${hex('y')} 2203${hex('Abs')}`;
    const shape = `0a03 1201${hex('n')} 0a02 0802`;
    const value = `0a01${hex('x')} 120f 0a0d 0801 1209 ${shape}`;
    const graph = `0a0e ${node} 1209${hex('virnucpro')} 5a14 ${value}`;
    const opsets = `4202 1014 4211 0a0d${hex('com.microsoft')} 1001`;
    const model = `0809 1209${hex('virnucpro')} 3a31 ${graph} ${opsets}`;
    assert.equal(Buffer.from(bytes).toString('hex'), model.replaceAll(' ', ''));
  });
});
