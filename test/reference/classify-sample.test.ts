import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { Classifier } from '../../src/inference/classifier-session.js';
import { type EmbeddedBatch, classifySample } from '../../src/inference/classify-sample.js';
import { Embedder } from '../../src/inference/embedder.js';
import { type ContigRow, writeContigs } from '../../src/io/contigs-file.js';
import { writeEmbeddings } from '../../src/io/embeddings-file.js';
import { writeFrames } from '../../src/io/frames-file.js';
import { LocalStore, sha256OfFile } from '../../src/io/local-store.js';
import { digestOfOrigin } from '../../src/io/origin.js';
import { chunkOfFrame, contigOfChunk } from '../../src/sequence/ids.js';
import { compareResults, readTable } from '../support/compare-results.js';

const golden = 'test/fixtures/golden';
const ORIGIN = { kind: 'embeddings', model: 'tiny' };
const MADE_BY = digestOfOrigin(ORIGIN);

type Records = Map<string, string>;

async function readRecords(file: string): Promise<Records> {
  const records = (await readFile(file, 'utf8')).split('>').slice(1);
  return new Map(
    records.map((record) => {
      const [header, ...lines] = record.split('\n');
      return [header!.split(' ')[0]!, lines.join('')];
    }),
  );
}

describe('golden frames through tiny models and classifier', () => {
  let dir: string;
  let dnabert: Embedder;
  let esm: Embedder;
  let classifier: Classifier;

  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'vnp-reference-'));
    const open = (name: string): Promise<Embedder> =>
      Embedder.open({ model: `${golden}/models/${name}`, cacheDir: path.join(dir, 'cache'), threads: 1 });
    dnabert = await open('dnabert2-tiny');
    esm = await open('esm2-tiny');
    classifier = await Classifier.open({ path: `${golden}/models/classifier-tiny/tiny.safetensors`, threads: 1 });
  });
  after(async () => {
    await Promise.all([dnabert.close(), esm.close(), classifier.close()]);
    await rm(dir, { recursive: true });
  });

  for (const name of ['edge-500', 'lambda-500', 'mixed-300']) {
    it(`gives the reference's tables of ${name}, and every contig adds up`, async () => {
      const folder = path.join(golden, 'cases', name);
      const contigs = await readRecords(path.join(folder, 'input.fa'));
      const chunks = await readRecords(path.join(folder, 'chunked.fa'));
      const nucleotides = await readRecords(path.join(folder, 'identified_nucleotide.fa'));
      const proteins = await readRecords(path.join(folder, 'identified_protein.faa'));
      const store = new LocalStore(path.join(dir, name, 'store'));
      const ids = [...nucleotides.keys()];
      const batches: EmbeddedBatch[] = [];
      for (let start = 0; start < ids.length; start += 20) {
        const batch = ids.slice(start, start + 20);
        const frames = {
          ids: batch,
          nucleotides: batch.map((id) => nucleotides.get(id)!),
          proteins: batch.map((id) => proteins.get(id)!),
        };
        const embed = async (stage: string, embedder: Embedder, sequences: string[]) => {
          const vectors = await embedder.embed(sequences);
          const key = `${stage}/${start}`;
          await store.put(key, (file) =>
            writeEmbeddings(file, MADE_BY, { ids: batch, vectors, width: embedder.facts.hidden }),
          );
          return { key, origin: ORIGIN };
        };
        batches.push({
          frames: await store.put(`frames/${start}`, (file) => writeFrames(file, MADE_BY, frames)),
          embeddings: {
            'dnabert-s': await embed('dnabert-s', dnabert, frames.nucleotides),
            'esm-2': await embed('esm-2', esm, frames.proteins),
          },
        });
      }
      const rows = [...contigs].map(([id, sequence]): ContigRow => {
        const own = [...chunks.keys()].filter((chunk) => contigOfChunk(chunk) === id);
        const open = ids.map(chunkOfFrame).filter((chunk) => own.includes(chunk));
        return {
          id,
          length: sequence.length,
          chunks: own.length,
          chunksNoOpenFrame: own.length - new Set(open).size,
          frames: open.length,
          reason: open.length > 0 ? '' : sequence.length < 3 ? 'too_short' : 'no_open_frame',
        };
      });
      const contigsFile = await store.put('contigs', (file) => writeContigs(file, MADE_BY, rows));

      const outputDir = path.join(dir, name, 'out');
      const fasta = path.join(folder, 'input.fa');
      const input = {
        ...{ store, contigs: contigsFile, batches, classifier, outputDir, stem: name },
        ...{ input: { path: fasta, sha256: await sha256OfFile(fasta) }, chunkSize: Number(name.split('-')[1]) },
      };
      const { counts, files } = await classifySample(input);

      const [predictions, consensus, accounting] = files.map((file) => file.path) as [string, string, string];
      const expected = await readTable(path.join(folder, 'prediction_results.txt'));
      await compareResults(predictions, path.join(folder, 'prediction_results.txt'));
      await compareResults(consensus, path.join(folder, 'prediction_results_highestscore.csv'));
      const accounted = await readTable(accounting);
      assert.deepEqual(
        accounted.rows.map(([contig]) => contig),
        [...contigs.keys()],
      );
      assert.equal(counts.framesCalled, expected.rows.length);
      assert.equal(counts.framesViral, expected.rows.filter(([, label]) => label === 'virus').length);
      assert.equal(counts.chunks, chunks.size);

      const frames = await parquetReadObjects({
        file: await asyncBufferFromFile(path.join(outputDir, 'frames.parquet')),
      });
      assert.deepEqual(
        frames.map(({ sequence_id }) => sequence_id),
        ids,
      );
      for (const { sequence_id, contig, chunk_start, chunk_end, strand } of frames) {
        const id = sequence_id as string;
        const chunk = contigs.get(contig as string)!.slice(Number(chunk_start), Number(chunk_end));
        assert.equal(chunk, chunks.get(chunkOfFrame(id)));
        assert.equal(strand, id.at(-2) === 'F' ? '+' : '-');
      }
      const table = await readTable(path.join(outputDir, 'contigs.tsv'));
      const column = (of: typeof table, column: string): string[] =>
        of.rows.map((row) => row[of.header.indexOf(column)]!);
      assert.deepEqual(column(table, 'ID'), column(accounted, 'contig'));
      assert.deepEqual(column(table, 'reason'), column(accounted, 'reason'));
      assert.deepEqual(column(table, 'n_chunks'), column(accounted, 'chunks_called'));
      const viral = [...(await readRecords(path.join(outputDir, 'viral.fa')))];
      assert.deepEqual(
        viral,
        [...contigs].filter((_, i) => column(table, 'call')[i] === 'Viral'),
      );
      assert.equal(counts.contigsViral, viral.length);
      const bed = (await readFile(path.join(outputDir, 'viral_regions.bed'), 'utf8')).split('\n').slice(0, -1);
      assert.deepEqual(
        [...(await readRecords(path.join(outputDir, 'viral_regions.fa')))],
        bed.map((line) => {
          const [contig, start, end] = line.split('\t') as [string, string, string];
          return [`${contig}:${start}-${end}`, contigs.get(contig)!.slice(Number(start), Number(end))];
        }),
      );
    });
  }
});
