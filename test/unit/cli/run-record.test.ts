import assert from 'node:assert/strict';
import { type RunRecord, differences } from '../../../src/cli/run-record.js';

describe('differences', () => {
  const record: RunRecord = {
    workflowId: 'w',
    outputDir: '/out',
    request: { expectedLength: 500, dnaModel: 'd1' },
    samples: ['a', 'b'].map((name) => ({ name, input: `/in/${name}.fa`, sha256: `${name}1` })),
    state: 'running',
  };

  it('finds none in the same run', () => {
    assert.deepEqual(differences(record, structuredClone(record)), []);
  });

  it('shows both values of options, and names the samples that changed, came or went', () => {
    const [a, b] = record.samples;
    assert.deepEqual(
      differences(record, {
        request: { expectedLength: 300, dnaModel: 'd1' },
        samples: [
          { ...a!, sha256: 'a2' },
          { ...b!, name: 'c' },
        ],
      }),
      [
        'expectedLength was 500 and is 300',
        '/in/a.fa (sample a) had sha256 a1 and has a2',
        'sample c is new (/in/b.fa)',
        'sample b is gone (/in/b.fa)',
      ],
    );
    const moved = differences(record, { ...record, samples: [a!, { ...b!, input: '/new/b.fa' }] });
    assert.deepEqual(moved, ['sample b was /in/b.fa and is /new/b.fa']);
  });

  it('says of an option that only one of them was given that the other was not', () => {
    const asked = { ...record, request: { ...record.request, renameDuplicates: true } };
    assert.deepEqual(differences(record, asked), ['renameDuplicates was not given and is true']);
    assert.deepEqual(differences(asked, record), ['renameDuplicates was true and is not given']);
  });

  it('names the first few of many', () => {
    const samples = Array.from({ length: 9 }, (_, i) => ({ name: `s${i}`, input: `${i}`, sha256: 'x' }));
    const shown = differences({ ...record, samples: [] }, { ...record, samples });
    assert.deepEqual(shown.at(-1), '6 more samples differ');
    assert.equal(shown.length, 4);
  });
});
