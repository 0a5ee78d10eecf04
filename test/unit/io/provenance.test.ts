import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InternalError } from '../../../src/contract/failures.js';
import { STAGES } from '../../../src/contract/stages.js';
import { type Provenance, writeProvenance } from '../../../src/io/provenance.js';

describe('io/provenance', () => {
  let dir: string;
  before(async () => (dir = await mkdtemp(path.join(tmpdir(), 'vnp-provenance-'))));
  after(() => rm(dir, { recursive: true }));

  const sha256 = 'ab'.repeat(32);
  const provenance: Provenance = {
    tool: 'virnucpro-temporal',
    version: '0.1.0',
    created: '2025-01-02T03:04:05Z',
    input: { path: 'in.fa', sha256, bytes: 10, records: 1 },
    options: { 'expected-length': 500, 'persistent-models': true, classifier: 'tiny.pth' },
    models: [
      {
        role: 'esm-2',
        path: 'models/esm2',
        digest: sha256,
        revision: 'c0'.repeat(20),
        dims: { layers: 6, width: 320 },
      },
    ],
    digests: { frames: sha256 },
    versions: { node: '20.19.0', onnxruntime: '1.30.0', temporalSdk: '1.24.0' },
    lanes: [
      {
        ...{ stage: 'esm-2', host: 'one', device: 'cpu:0', batches: 2, frames: 3, tokens: 40, busySeconds: 1.5 },
        ...{ modelLoads: 1, losses: 1 },
        spans: [{ from: 0, ready: 0.5, to: 2.5, lost: true }],
      },
    ],
    workflow: { id: 'predict-in', runId: 'r', namespace: 'default' },
    stages: Object.fromEntries(
      STAGES.map((stage) => [
        stage,
        {
          ...{ started: '2025-01-02T03:04:02.500Z', embedded: 2, reused: 1, frames: 3, tokens: 40 },
          ...{ modelLoads: 1, quarantined: 0, retries: 1, seconds: 2.5 },
        },
      ]),
    ) as Provenance['stages'],
    timings: { split: 0.5 },
    counts: { frames: 3 },
    files: [{ path: 'accounting.tsv', bytes: 3, sha256 }],
  };

  it('writes the record as JSON', async () => {
    const file = path.join(dir, 'a', 'provenance.json');
    const written = await writeProvenance(file, provenance);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), provenance);
    assert.equal(written.bytes, (await readFile(file)).length);
  });

  it('refuses whatever is not meant to be published, wherever it sits, and writes nothing', async () => {
    const folder = path.join(dir, 'b');
    const leaks = [
      { ...provenance, environment: { API_KEY: 'secret' } },
      { ...provenance, workflow: { ...provenance.workflow, apiKey: 'secret' } },
      { ...provenance, input: { ...provenance.input, sha256: 'short' } },
    ];
    for (const leak of leaks) {
      await assert.rejects(
        writeProvenance(path.join(folder, 'provenance.json'), leak),
        (error) => error instanceof InternalError && !error.message.includes('secret'),
      );
    }
    await assert.rejects(readdir(folder), /ENOENT/);
  });
});
