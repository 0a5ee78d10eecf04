import { readFile, writeFile } from 'node:fs/promises';
import { StorageError } from '../contract/failures.js';
import type { RunModels, RunOptions, SampleCounts, SampleSpec } from '../contract/run.js';
import { RUNTIME } from '../inference/ort-backend.js';
import type { ArtifactStore } from '../io/artifact-store.js';
import { openStore } from '../io/open-store.js';
import { type Origin, digestOfOrigin } from '../io/origin.js';
import { inputDigest } from '../io/sample-input.js';
import { isPlainKey, isUri } from '../io/store-uri.js';
import type { ResultFile } from '../io/tables.js';
import { embeddingsPrefix, finishedKey, workPrefix } from './keys.js';

/** Changes when the same input and models would give other tables. */
const RULE = 3;

/** What tells one sample's results from another's. */
export interface SampleIdentity {
  sample: SampleSpec;
  options: Pick<RunOptions, 'outputDir' | 'chunkSize' | 'renameDuplicates' | 'keepIntermediate' | 'keepEmbeddings'>;
  models: RunModels;
}

/** Where a sample's results are. */
export interface SamplePlace {
  sample: Pick<SampleSpec, 'prefix'>;
  options: Pick<RunOptions, 'outputDir'>;
}

/** `<sample>/.virnucpro/finished.json`: proof that a sample's tables are there, and what they were made from. */
interface FinishedRecord {
  madeBy: string;
  counts: SampleCounts;
  /** Paths are relative to the sample's folder. */
  files: ResultFile[];
}

/**
 * Writes the proof, after the tables.
 * @param files with paths relative to the sample's folder.
 */
export async function recordFinished(
  identity: SampleIdentity,
  inputSha256: string,
  counts: SampleCounts,
  files: readonly ResultFile[],
): Promise<void> {
  const record: FinishedRecord = { madeBy: digestOfOrigin(origin(identity, inputSha256)), counts, files: [...files] };
  await storeOf(identity).put(finishedKey(identity.sample), async (file) => {
    await writeFile(file, `${JSON.stringify(record, undefined, 2)}\n`);
    return 1;
  });
}

/**
 * The counts of a sample whose tables are there, whole, and made from this very input with these models and options;
 * undefined when any of it is not so. The input is read only when there is a record to compare it with.
 * @throws StorageError when an object store does not answer: then nobody knows.
 */
export async function findFinished(identity: SampleIdentity): Promise<SampleCounts | undefined> {
  try {
    const record = await readRecord(identity);
    if (record === undefined) return undefined;
    if (record.madeBy !== digestOfOrigin(origin(identity, await inputDigest(identity.sample.input)))) return undefined;
    return (await changedOf(record, identity)).length === 0 ? record.counts : undefined;
  } catch (error) {
    if (error instanceof StorageError && isUri(identity.options.outputDir)) throw error;
    // Whatever cannot be read is made again, and then says what is wrong with it.
    return undefined;
  }
}

/** Whether a sample's tables are there and whole, whatever they were made from. */
export async function hasWholeTables(place: SamplePlace): Promise<boolean> {
  const record = await readRecord(place);
  return record !== undefined && (await changedOf(record, place)).length === 0;
}

/** A finished sample's files that are not what they were when it was finished, or gone, and how many it has. */
export async function changedFiles(place: SamplePlace): Promise<{ files: number; changed: string[] }> {
  const record = (await readRecord(place)) ?? { files: [] };
  return { files: record.files.length, changed: await changedOf(record, place) };
}

/** Removes a sample's tables and their proof: they are of another input or model, and nobody shall take them for new. */
export async function removeTables(place: SamplePlace): Promise<void> {
  const store = storeOf(place);
  // A record that was tampered with removes nothing elsewhere.
  const own = (await readRecord(place))?.files.filter((file) => isPlainKey(file.path)) ?? [];
  for (const file of own) await store.remove(place.sample.prefix + file.path);
  await store.remove(finishedKey(place.sample));
}

async function readRecord(place: SamplePlace): Promise<FinishedRecord | undefined> {
  const file = await storeOf(place).peek(finishedKey(place.sample));
  if (file === undefined) return undefined;
  try {
    return JSON.parse(await readFile(file, 'utf8')) as FinishedRecord;
  } catch {
    return undefined;
  }
}

async function changedOf({ files }: Pick<FinishedRecord, 'files'>, place: SamplePlace): Promise<string[]> {
  const store = storeOf(place);
  const changed: string[] = [];
  for (const file of files) {
    if (!isPlainKey(file.path) || !(await store.holds(place.sample.prefix + file.path, file))) changed.push(file.path);
  }
  return changed;
}

/** Removes what a finished sample does not need any more, embeddings (13 KB a frame) too unless they are to be kept. */
export async function tidySample({ sample, options }: Pick<SampleIdentity, 'sample' | 'options'>): Promise<void> {
  const store = openStore(options.outputDir);
  for (const key of [embeddingsPrefix(sample), workPrefix(sample)]) await store.removeUnpublished(key);
  if (!options.keepEmbeddings) await store.remove(embeddingsPrefix(sample));
  await store.remove(workPrefix(sample));
}

function origin({ sample, options, models }: SampleIdentity, inputSha256: string): Origin {
  return {
    kind: 'results',
    rule: RULE,
    input: inputSha256,
    stem: sample.stem,
    chunkSize: options.chunkSize,
    ...(options.renameDuplicates && { renameDuplicates: 1 }),
    dna: models.dna.digest,
    protein: models.protein.digest,
    precision: models.dna.precision,
    ...(models.protein.precision !== models.dna.precision && { proteinPrecision: models.protein.precision }),
    classifier: models.classifier.digest,
    runtime: RUNTIME,
    keepIntermediate: Number(options.keepIntermediate),
    keepEmbeddings: Number(options.keepEmbeddings),
  };
}

function storeOf({ options }: SamplePlace): ArtifactStore {
  return openStore(options.outputDir);
}
