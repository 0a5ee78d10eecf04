import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Table, tableToIPC, vectorFromArray } from 'apache-arrow';
import { writeEmbeddings } from '../../../src/io/embeddings-file.js';
import { writeModelRecord } from '../../../src/model/store/record.js';
import { callCli } from '../../support/cli.js';
import { MODELS } from '../../support/tiny-models.js';

describe('utils validate-checkpoints', () => {
  let dir: string;
  beforeEach(async () => (dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-checkpoints-'))));
  afterEach(() => rm(dir, { recursive: true }));

  const at = (...names: string[]): string => path.join(dir, ...names);

  function validate(...args: string[]): { code: number | null; lines: string[]; stderr: string } {
    const { code, stdout, stderr } = callCli(['utils', 'validate-checkpoints', ...args], dir);
    return { code, lines: stdout.trimEnd().split('\n'), stderr };
  }

  /** Changes one bit of a file at a place where `text` stands. */
  async function flip(file: string, text: string | Uint8Array): Promise<void> {
    const bytes = await readFile(file);
    const place = bytes.indexOf(text);
    assert.ok(place > 0);
    bytes[place]! ^= 1;
    await writeFile(file, bytes);
  }

  it('finds models and artifacts in all subfolders, and says what each is; exit code 0', async () => {
    await cp(path.join(MODELS, 'esm2-tiny'), at('models', 'esm2'), { recursive: true });
    await cp(path.join(MODELS, 'classifier-tiny/tiny_model.pth'), at('500_model.pth'));
    await mkdir(at('out/embeddings/esm-2'), { recursive: true });
    await writeEmbeddings(at('out/embeddings/esm-2/batch-00000.arrow'), 'x', {
      ids: ['a', 'b'],
      vectors: Float32Array.of(1, 2, 3, 4),
      width: 2,
    });
    assert.deepEqual(validate('.'), {
      code: 0,
      lines: [
        'ok            500_model.pth: classifier of 176 features',
        'ok            models/esm2: esm2, 3 layers, 80 wide',
        'ok            out/embeddings/esm-2/batch-00000.arrow: embeddings, 2 rows',
        '3 checked: 3 ok, 0 corrupted, 0 incompatible',
      ],
      stderr: '',
    });
  });

  it('tells damaged from foreign files; exit code 1', async () => {
    await cp(path.join(MODELS, 'esm2-tiny'), at('cut'), { recursive: true });
    await truncate(at('cut/model.safetensors'), 10_000);
    await cp(path.join(MODELS, 'classifier-tiny/tiny_model.pth'), at('flipped.pth'));
    await flip(at('flipped.pth'), 'hidden_layer');
    await writeFile(at('empty.pt'), '');
    await writeFile(at('old.pt'), '\x80\x02}q\x00.', 'latin1');
    await writeFile(at('other.arrow'), tableToIPC(new Table({ x: vectorFromArray([1, 2]) }), 'file'));
    await writeFile(at('torn.arrow'), 'ARROW1\0\0');
    const { code, lines } = validate('.');
    assert.deepEqual(
      lines.map((line) => line.split(': ')[0]!.replace(/ +/, ' ')),
      [
        'CORRUPTED empty.pt',
        'CORRUPTED flipped.pth',
        'INCOMPATIBLE old.pt',
        'INCOMPATIBLE other.arrow',
        'CORRUPTED torn.arrow',
        'CORRUPTED cut',
        '6 checked',
      ],
    );
    assert.match(lines[6]!, /0 ok, 4 corrupted, 2 incompatible$/);
    assert.equal(code, 1);
  });

  it('reads all bytes: of artifacts always, of weights, against the digest of their download, unless --skip-load', async () => {
    const vectors = Float32Array.of(1.5, 2.5);
    await writeEmbeddings(at('batch.arrow'), 'x', { ids: ['a'], vectors, width: 2 });
    await flip(at('batch.arrow'), new Uint8Array(vectors.buffer));
    await cp(path.join(MODELS, 'esm2-tiny'), at('esm2'), { recursive: true });
    const file = { name: 'model.safetensors', bytes: 1, sha256: 'ab'.repeat(32) };
    await writeModelRecord(at('esm2'), { name: 'esm2-8m', source: 'hub', date: '', virnucpro: '', files: [file] });
    const { code, lines } = validate('batch.arrow', 'esm2');
    assert.equal(code, 1);
    assert.match(lines[0]!, /^CORRUPTED +batch\.arrow: artifact content differs from its digest$/);
    assert.match(lines[1]!, /^CORRUPTED +esm2: model\.safetensors has another digest than when it was downloaded$/);
    const skipped = validate('batch.arrow', 'esm2', '--skip-load').lines.map((line) => line.split(' ')[0]);
    assert.deepEqual(skipped, ['CORRUPTED', 'ok', '2']);
  });

  it('exits 3 when a path is not there, or holds nothing to check', async () => {
    await writeFile(at('contigs.fa'), '>a\nACGT\n');
    const nothing = validate('.');
    assert.deepEqual([nothing.code, nothing.stderr.split(':')[0]], [3, 'error']);
    assert.match(nothing.stderr, /nothing to check.*\n.*output folder of predict/);
    const missing = validate('nowhere');
    assert.deepEqual([missing.code, missing.stderr.split('\n')[0]], [3, 'error: nowhere: no such file']);
  });
});
