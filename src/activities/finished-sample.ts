import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RunModels, RunOptions, SampleCounts, SampleSpec } from '../contract/run.js';
import { RUNTIME } from '../inference/ort-backend.js';
import { sha256OfFile, writeAtomically } from '../io/local-store.js';
import { openStore } from '../io/open-store.js';
import { type Origin, digestOfOrigin } from '../io/origin.js';
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

/** Writes the proof, after the tables. */
export async function recordFinished(
  identity: SampleIdentity,
  inputSha256: string,
  counts: SampleCounts,
  files: readonly ResultFile[],
): Promise<void> {
  const folder = sampleFolder(identity);
  const record: FinishedRecord = {
    madeBy: digestOfOrigin(origin(identity, inputSha256)),
    counts,
    files: files.map((file) => ({ ...file, path: path.relative(folder, file.path) })),
  };
  await writeAtomically(recordFile(identity), (file) => writeFile(file, `${JSON.stringify(record, undefined, 2)}\n`));
}

/**
 * The counts of a sample whose tables are there, whole, and made from this very input with these models and options;
 * undefined when any of it is not so. The input is read only when there is a record to compare it with.
 */
export async function findFinished(identity: SampleIdentity): Promise<SampleCounts | undefined> {
  try {
    const record = await readRecord(identity);
    if (record?.madeBy !== digestOfOrigin(origin(identity, await sha256OfFile(identity.sample.input))))
      return undefined;
    return (await areWhole(record, sampleFolder(identity))) ? record.counts : undefined;
  } catch {
    // Whatever cannot be read is made again, and then says what is wrong with it.
    return undefined;
  }
}

/** Whether a sample's tables are there and whole, whatever they were made from. */
export async function hasWholeTables(place: SamplePlace): Promise<boolean> {
  const record = await readRecord(place);
  return record !== undefined && (await areWhole(record, sampleFolder(place)));
}

/** A finished sample's files that are not what they were when it was finished, or gone, and how many it has. */
export async function changedFiles(place: SamplePlace): Promise<{ files: number; changed: string[] }> {
  const { files } = (await readRecord(place)) ?? { files: [] };
  const changed: string[] = [];
  for (const file of files) if (!(await isWhole(file, sampleFolder(place)))) changed.push(file.path);
  return { files: files.length, changed };
}

/** Removes a sample's tables and their proof: they are of another input or model, and nobody shall take them for new. */
export async function removeTables(place: SamplePlace): Promise<void> {
  const folder = sampleFolder(place);
  const files = (await readRecord(place))?.files.map((file) => path.join(folder, file.path)) ?? [];
  // A record that was tampered with removes nothing elsewhere.
  const own = files.filter((file) => !path.relative(folder, file).startsWith('..'));
  for (const file of [...own, recordFile(place)]) await rm(file, { force: true });
}

async function readRecord(place: SamplePlace): Promise<FinishedRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordFile(place), 'utf8')) as FinishedRecord;
  } catch {
    return undefined;
  }
}

async function areWhole({ files }: FinishedRecord, folder: string): Promise<boolean> {
  for (const file of files) if (!(await isWhole(file, folder))) return false;
  return true;
}

async function isWhole({ path: name, bytes, sha256 }: ResultFile, folder: string): Promise<boolean> {
  const file = path.join(folder, name);
  const found = await stat(file).catch(() => undefined);
  return found?.size === bytes && (await sha256OfFile(file)) === sha256;
}

/** Removes what a finished sample does not need any more, embeddings (13 KB a frame) too unless they are to be kept. */
export async function tidySample({ sample, options }: Pick<SampleIdentity, 'sample' | 'options'>): Promise<void> {
  const store = openStore(options.outputDir);
  if (options.keepEmbeddings) await store.removeUnpublished(embeddingsPrefix(sample));
  else await store.remove(embeddingsPrefix(sample));
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

function sampleFolder({ sample, options }: SamplePlace): string {
  return path.join(options.outputDir, sample.prefix);
}

function recordFile({ sample, options }: SamplePlace): string {
  return path.join(options.outputDir, finishedKey(sample));
}
