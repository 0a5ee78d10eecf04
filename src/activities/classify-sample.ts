import path from 'node:path';
import { Context } from '@temporalio/activity';
import type { ManifestEntry, RunModels, RunOptions, SampleCounts, SampleSpec, SplitOutput } from '../contract/run.js';
import type { ArtifactRef } from '../contract/artifacts.js';
import {
  type ClassifySampleOutput,
  type EmbeddedBatch,
  classifySample as classify,
} from '../inference/classify-sample.js';
import { Classifier } from '../inference/classifier-session.js';
import { readJsonLines } from '../io/json-lines.js';
import { openStore } from '../io/open-store.js';
import { PROVENANCE } from '../io/provenance.js';
import { withInput } from '../io/sample-input.js';
import { splitToFasta } from '../io/split-fasta.js';
import { writeSampleReport } from '../report/write-report.js';
import { embeddingArtifact } from './embedding-artifact.js';
import { findFinished, recordFinished, tidySample } from './finished-sample.js';
import { drawReport } from './draw-report.js';
import { startHeartbeat } from './heartbeat.js';
import { checkNames } from './keys.js';
import { recordProvenance } from './record-provenance.js';
import { readStages } from './record-stages.js';

/** Argument of the `classifySample` activity. */
export interface ClassifySampleInput {
  sample: SampleSpec;
  split: SplitOutput;
  models: RunModels;
  options: Pick<
    RunOptions,
    | 'outputDir'
    | 'chunkSize'
    | 'renameDuplicates'
    | 'keepIntermediate'
    | 'keepEmbeddings'
    | 'lanes'
    | 'persistent'
    | 'tokensPerCall'
  >;
  /** How the stages went, for provenance.json: what `recordStages` wrote. */
  stages: ArtifactRef;
}

/**
 * Scores a sample whose batches are embedded, writes its result files, provenance.json and report, and removes what is not to
 * be kept. A try that died after that is found finished.
 * @throws ArtifactInvalid when a batch or embedding is not what it should be; ModelError; StorageError.
 */
export async function classifySample(input: ClassifySampleInput): Promise<SampleCounts> {
  const { sample, split, models, options } = input;
  checkNames(sample);
  const { cancellationSignal: signal } = Context.current();
  const startedAt = performance.now();
  const heartbeat = startHeartbeat({ state: 'loading the classifier' });
  try {
    const finished = await findFinished(input);
    if (finished !== undefined) {
      await tidySample(input);
      return finished;
    }
    const store = openStore(options.outputDir);
    const { renameDuplicates = false, chunkSize } = options;
    const entries = await readJsonLines<ManifestEntry>(await store.get(split.manifest));
    const batches = entries.map((entry): EmbeddedBatch => ({
      frames: entry.frames,
      embeddings: {
        'dnabert-s': embeddingArtifact('dnabert-s', models.dna, entry),
        'esm-2': embeddingArtifact('esm-2', models.protein, entry),
      },
    }));
    const writeResults = async (outputDir: string, inputFile: string): Promise<ClassifySampleOutput> => {
      const classifier = await Classifier.open({ path: models.classifier.path, threads: 1 });
      try {
        const { counts, files } = await classify({
          store,
          contigs: split.contigs,
          batches,
          classifier,
          input: { path: inputFile, sha256: split.inputSha256, renameDuplicates },
          chunkSize,
          outputDir,
          stem: sample.stem,
          signal,
          onBatch: (done) => {
            signal.throwIfAborted();
            heartbeat.details({ state: 'classifying', batches: done, of: batches.length });
          },
        });
        if (options.keepIntermediate) {
          await splitToFasta({ input: inputFile, stem: sample.stem, outputDir, chunkSize, renameDuplicates, signal });
        }
        const relative = files.map((file) => ({ ...file, path: path.relative(outputDir, file.path) }));
        await recordProvenance(path.join(outputDir, PROVENANCE), input, {
          counts,
          files: relative.map((file) => ({ ...file, path: store.locate(sample.prefix + file.path) })),
          stages: await readStages(store, input.stages),
          seconds: (performance.now() - startedAt) / 1000,
        });
        await drawReport(() => writeSampleReport(outputDir));
        return { counts, files: relative };
      } finally {
        await classifier.close();
      }
    };
    const { counts, files } = await withInput(
      sample.input,
      (inputFile) => store.putFolder(sample.prefix, (outputDir) => writeResults(outputDir, inputFile)),
      { sha256: split.inputSha256, signal },
    );
    await recordFinished(input, split.inputSha256, counts, files);
    await tidySample(input);
    return counts;
  } finally {
    heartbeat.stop();
  }
}
