import assert from 'node:assert/strict';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import type { ArtifactRef } from '../../../src/contract/artifacts.js';
import { ArtifactInvalid, InternalError, ModelError } from '../../../src/contract/failures.js';
import {
  type ClassifySampleInput,
  type EmbeddedBatch,
  type EmbeddingsKey,
  type FeatureClassifier,
  classifySample,
} from '../../../src/inference/classify-sample.js';
import { type ContigRow, writeContigs } from '../../../src/io/contigs-file.js';
import { type QuarantinedSequence, writeEmbeddings } from '../../../src/io/embeddings-file.js';
import { writeFrames } from '../../../src/io/frames-file.js';
import { LocalStore, sha256OfFile } from '../../../src/io/local-store.js';
import { digestOfOrigin } from '../../../src/io/origin.js';
import type { InputFile } from '../../../src/io/viral-fasta.js';

const ORIGIN = { kind: 'embeddings', model: 'test' };
const MADE_BY = digestOfOrigin(ORIGIN);

/** P(virus) of a frame is the nucleotide vector's second number plus the protein vector's only one. */
const classifier: FeatureClassifier = {
  inputSize: 3,
  predict: (features) => {
    const rows = Array.from({ length: features.length / 3 }, (_, i) => features[3 * i + 1]! + features[3 * i + 2]!);
    return Promise.resolve(Float32Array.from(rows.flatMap((virus) => [1 - virus, virus])));
  },
};

describe('inference/classify-sample', () => {
  let dir: string;
  let store: LocalStore;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vnp-classify-'));
    store = new LocalStore(path.join(dir, 'store'));
  });
  after(() => rm(dir, { recursive: true }));

  const putContigs = (rows: ContigRow[]): Promise<ArtifactRef> =>
    store.put('contigs', (file) => writeContigs(file, MADE_BY, rows));

  const putInput = async (): Promise<InputFile> => {
    const file = path.join(dir, 'input.fa');
    await writeFile(file, `>b|"x"\n${'ACG'.repeat(300)}\n>shut\n${'TAG'.repeat(166)}TA\n>a_chunk_1\nAC\n>none\n`);
    return { path: file, sha256: await sha256OfFile(file) };
  };

  const putVectors = async (
    key: string,
    ids: string[],
    width: number,
    values: number[],
    quarantined: QuarantinedSequence[] = [],
  ): Promise<EmbeddingsKey> => {
    const vectors = Float32Array.from(values);
    await store.put(key, (file) => writeEmbeddings(file, MADE_BY, { ids, vectors, width, quarantined }));
    return { key, origin: ORIGIN };
  };

  /** A batch whose frames score these probabilities of a virus, half of it from either stage. */
  const putBatch = async (name: string, frames: [string, number][]): Promise<EmbeddedBatch> => {
    const ids = frames.map(([id]) => id);
    const halves = frames.map(([, virus]) => virus / 2);
    const pairs = halves.flatMap((half) => [9, half]);
    return {
      frames: await store.put(`${name}/frames`, (file) =>
        writeFrames(file, MADE_BY, { ids, nucleotides: ids, proteins: ids }),
      ),
      embeddings: {
        'dnabert-s': await putVectors(`${name}/dna`, ids, 2, pairs),
        'esm-2': await putVectors(`${name}/protein`, ids, 1, halves),
      },
    };
  };

  const sampleInput = async (): Promise<ClassifySampleInput> => ({
    store,
    contigs: await putContigs([
      { id: 'b|"x"', length: 900, chunks: 2, chunksNoOpenFrame: 0, frames: 3, reason: '' },
      { id: 'shut', length: 500, chunks: 1, chunksNoOpenFrame: 1, frames: 0, reason: 'no_open_frame' },
      { id: 'a_chunk_1', length: 400, chunks: 1, chunksNoOpenFrame: 0, frames: 2, reason: '' },
      { id: 'none', length: 0, chunks: 0, chunksNoOpenFrame: 0, frames: 0, reason: 'empty' },
    ]),
    batches: [
      await putBatch('1', [
        ['b|"x"_chunk_1F1', 0.75],
        ['b|"x"_chunk_1R2', 0.25],
      ]),
      await putBatch('2', [
        ['b|"x"_chunk_2F3', 0.125],
        ['a_chunk_1_chunk_1F1', 0.5],
        ['a_chunk_1_chunk_1F2', 0.0625],
      ]),
    ],
    classifier,
    input: await putInput(),
    chunkSize: 500,
    outputDir: path.join(dir, 'out'),
    stem: 's',
  });
  const outputs = (): Promise<string[]> =>
    Promise.all(
      ['s_merged/prediction_results.txt', 's_merged/prediction_results_highestscore.csv', 'accounting.tsv'].map(
        (file) => readFile(path.join(dir, 'out', file), 'utf8'),
      ),
    );
  const table = (...rows: string[]): string => rows.map((row) => `${row.replaceAll(' ', '\t')}\n`).join('');
  const accountingHeader =
    'contig length status reason chunks chunks_called chunks_no_open_frame frames frames_called frames_quarantined';

  it('writes the three tables of a sample over its batches, and counts', async () => {
    const done: number[] = [];
    const { counts, files } = await classifySample({ ...(await sampleInput()), onBatch: (batch) => done.push(batch) });
    assert.deepEqual(await outputs(), [
      table(
        'Sequence_ID Prediction score1 score2',
        'b|"x"_chunk_1F1 virus 0.25 0.75',
        'b|"x"_chunk_1R2 others 0.75 0.25',
        'b|"x"_chunk_2F3 others 0.875 0.125',
        'a_chunk_1_chunk_1F1 others 0.5 0.5',
        'a_chunk_1_chunk_1F2 others 0.9375 0.0625',
      ),
      table(
        'Modified_ID Is_Virus max_score_0 max_score_1',
        'a_chunk_1_chunk_1 False 0.9375 0.5',
        '"b|""x""_chunk_1" True 0.75 0.75',
        '"b|""x""_chunk_2" False 0.875 0.125',
      ),
      table(
        accountingHeader,
        'b|"x" 900 called  2 2 0 3 3 0',
        'shut 500 not_called no_open_frame 1 0 1 0 0 0',
        'a_chunk_1 400 called  1 1 0 2 2 0',
        'none 0 not_called empty 0 0 0 0 0 0',
      ),
    ]);
    assert.deepEqual(counts, {
      contigs: 4,
      contigsCalled: 2,
      contigsViral: 0,
      viralRegions: 1,
      chunks: 4,
      chunksCalled: 3,
      chunksViral: 1,
      frames: 5,
      framesCalled: 5,
      framesViral: 1,
      framesQuarantined: 0,
    });
    assert.deepEqual(done, [1, 2]);
    assert.deepEqual(
      files.map((file) => path.relative(dir, file.path)),
      [
        'out/s_merged/prediction_results.txt',
        'out/s_merged/prediction_results_highestscore.csv',
        'out/accounting.tsv',
        'out/quarantined.tsv',
        'out/frames.parquet',
        'out/contigs.tsv',
        'out/viral_regions.bed',
        'out/viral_regions.gff3',
        'out/viral.fa',
        'out/viral_regions.fa',
      ],
    );
  });

  it('writes the tables of contigs, regions and frames, and the viral contigs', async () => {
    const input = await sampleInput();
    const batches = [
      await putBatch('v1', [
        ['b|"x"_chunk_1F1', 0.75],
        ['b|"x"_chunk_1R2', 0.875],
        ['b|"x"_chunk_2F3', 0.9375],
      ]),
      await putBatch('v2', [
        ['a_chunk_1_chunk_1F1', 0.5],
        ['a_chunk_1_chunk_1F2', 0.0625],
      ]),
    ];
    const outputDir = path.join(dir, 'tables');
    const { counts } = await classifySample({ ...input, batches, outputDir });
    const written = (file: string): Promise<string> => readFile(path.join(outputDir, file), 'utf8');

    const contigs = (await written('contigs.tsv')).trimEnd().split('\n').slice(1);
    assert.deepEqual(
      contigs.map((line) => line.split('\t').slice(0, 6).join(' ')),
      [
        'b|"x" 900 Viral low_confidence  0.760',
        'shut 500 Unclassified  no_open_frame ',
        'a_chunk_1 400 Non-viral review  -0.438',
        'none 0 Unclassified  empty ',
      ],
    );
    assert.equal(await written('viral_regions.bed'), 'b|"x"\t0\t900\tviral_region_1\t906\t.\n');
    assert.match(await written('viral_regions.gff3'), /^b\|%22x%22\tvirnucpro\tviral_sequence\t1\t900\t0\.9062\t/m);
    const [header, ...letters] = (await written('viral.fa')).trimEnd().split('\n');
    assert.equal(header, '>b|"x" length=900 tier=low_confidence weighted_delta=0.760');
    assert.equal(letters.join(''), 'ACG'.repeat(300));
    const [region, ...regionLetters] = (await written('viral_regions.fa')).trimEnd().split('\n');
    assert.deepEqual([region, regionLetters.join('')], ['>b|"x":0-900', 'ACG'.repeat(300)]);
    assert.deepEqual([counts.contigsViral, counts.viralRegions], [1, 1]);

    const file = await asyncBufferFromFile(path.join(outputDir, 'frames.parquet'));
    const frames = await parquetReadObjects({ file });
    assert.deepEqual(
      frames.map((frame) => Object.values(frame).slice(1, 10).join(' ')),
      [
        'b|"x" 1 0 500 + 1 0.75 0.25 virus',
        'b|"x" 1 0 500 - 2 0.875 0.125 virus',
        'b|"x" 2 449 900 + 3 0.9375 0.0625 virus',
        'a_chunk_1 1 0 400 + 1 0.5 0.5 others',
        'a_chunk_1 1 0 400 + 2 0.0625 0.9375 others',
      ],
    );
  });

  it('accounts for quarantined frames and changes no other row', async () => {
    const input = await sampleInput();
    const [first, second] = input.batches as [EmbeddedBatch, EmbeddedBatch];
    const dna = await putVectors(
      'q/dna',
      ['b|"x"_chunk_1F1'],
      2,
      [9, 0.375],
      [{ id: 'b|"x"_chunk_1R2', reason: 'crashes' }],
    );
    const protein = await putVectors(
      'q/protein',
      ['b|"x"_chunk_2F3'],
      1,
      [0.0625],
      [
        { id: 'a_chunk_1_chunk_1F1', reason: 'non_finite' },
        { id: 'a_chunk_1_chunk_1F2', reason: 'too_large' },
      ],
    );
    const batches = [
      { ...first, embeddings: { ...first.embeddings, 'dnabert-s': dna } },
      { ...second, embeddings: { ...second.embeddings, 'esm-2': protein } },
    ];
    const { counts } = await classifySample({ ...input, batches });
    assert.equal(
      await readFile(path.join(dir, 'out', 'quarantined.tsv'), 'utf8'),
      table(
        'Sequence_ID stage reason',
        'b|"x"_chunk_1R2 dnabert-s crashes',
        'a_chunk_1_chunk_1F1 esm-2 non_finite',
        'a_chunk_1_chunk_1F2 esm-2 too_large',
      ),
    );
    const [predictions, , accounting] = await outputs();
    assert.equal(
      predictions,
      table(
        'Sequence_ID Prediction score1 score2',
        'b|"x"_chunk_1F1 virus 0.25 0.75',
        'b|"x"_chunk_2F3 others 0.875 0.125',
      ),
    );
    assert.match(accounting!, /^b\|"x"\t900\tcalled\t\t2\t2\t0\t3\t2\t1$/m);
    assert.match(accounting!, /^a_chunk_1\t400\tnot_called\tquarantined\t1\t0\t0\t2\t0\t2$/m);
    assert.equal(counts.framesQuarantined, 3);
    const frames = await parquetReadObjects({
      file: await asyncBufferFromFile(path.join(dir, 'out', 'frames.parquet')),
    });
    assert.deepEqual(
      frames.map(({ sequence_id, label, quarantined }) => [sequence_id, label, quarantined]),
      [
        ['b|"x"_chunk_1F1', 'virus', null],
        ['b|"x"_chunk_1R2', null, 'dnabert-s: crashes'],
        ['b|"x"_chunk_2F3', 'others', null],
        ['a_chunk_1_chunk_1F1', null, 'esm-2: non_finite'],
        ['a_chunk_1_chunk_1F2', null, 'esm-2: too_large'],
      ],
    );
  });

  it('succeeds with header-only tables on an empty sample', async () => {
    const input = await sampleInput();
    const contigs = await putContigs([]);
    const { counts } = await classifySample({ ...input, contigs, batches: [] });
    assert.deepEqual(await outputs(), [
      table('Sequence_ID Prediction score1 score2'),
      table('Modified_ID Is_Virus max_score_0 max_score_1'),
      table(accountingHeader),
    ]);
    assert.equal(counts.contigs + counts.frames, 0);
  });

  it('refuses what does not belong together, and then writes nothing', async () => {
    const outputDir = path.join(dir, 'refused');
    const input = { ...(await sampleInput()), outputDir };
    const [first, second] = input.batches as [EmbeddedBatch, EmbeddedBatch];
    const refuse = async (
      change: Partial<ClassifySampleInput>,
      type: new (...problem: never[]) => Error,
      what: RegExp,
    ) => {
      await assert.rejects(classifySample({ ...input, ...change }), (error) => {
        assert.ok(error instanceof type, String(error));
        assert.match(error.message, what);
        return true;
      });
      assert.deepEqual((await readdir(outputDir, { recursive: true })).sort(), ['s_merged']);
    };
    const withProtein = (key: EmbeddingsKey) => ({ ...first, embeddings: { ...first.embeddings, 'esm-2': key } });
    await refuse(
      { batches: [withProtein(second.embeddings['esm-2']), second] },
      ArtifactInvalid,
      /frame 1 is b\|"x"_chunk_1F1, its embedding is b\|/,
    );
    const stale = { ...first.embeddings['esm-2'], origin: { ...ORIGIN, model: 'another' } };
    await refuse(
      { batches: [withProtein(stale), second] },
      ArtifactInvalid,
      /made by [0-9a-f]{64}, expected [0-9a-f]{64}/,
    );
    const absent = { key: 'nowhere', origin: ORIGIN };
    await refuse({ batches: [withProtein(absent), second] }, ArtifactInvalid, /embeddings are missing \(nowhere\)/);
    await refuse({ batches: [{ ...first, frames: input.contigs }, second] }, ArtifactInvalid, /kind contigs/);
    await refuse({ batches: [first] }, InternalError, /2 chunks are not 1 called.*contig b\|"x"/);
    await refuse({ batches: [first, second, second] }, InternalError, /frames are not .*contig b\|"x"/);
    await refuse(
      { classifier: { ...classifier, inputSize: 4 } },
      ModelError,
      /takes 4 features, the models give 2 \+ 1/,
    );
    const broken = {
      ...classifier,
      predict: (x: Float32Array) => Promise.resolve(new Float32Array((x.length / 3) * 2).fill(NaN)),
    };
    await refuse({ classifier: broken }, ModelError, /NaN and NaN.*frame b\|"x"_chunk_1F1/);
  });
});
