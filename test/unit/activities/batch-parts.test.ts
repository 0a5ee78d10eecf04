import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BatchParts } from '../../../src/activities/batch-parts.js';
import { embeddingArtifact } from '../../../src/activities/embedding-artifact.js';
import { StorageError } from '../../../src/contract/failures.js';
import type { ManifestEntry } from '../../../src/contract/run.js';
import { type Embeddings, readEmbeddings } from '../../../src/io/embeddings-file.js';
import { LocalStore } from '../../../src/io/local-store.js';
import { digestOfOrigin } from '../../../src/io/origin.js';
import { laneOffer } from '../../support/lane-offer.js';
import { temporaryFolder } from '../../support/tiny-models.js';

const IDS = ['a', 'b', 'c', 'd'];
const WIDTH = 2;

const entry: ManifestEntry = {
  sample: 's',
  batch: 3,
  prefix: '',
  frames: { uri: 'file:///frames', sha256: 'frames', bytes: 1, records: IDS.length },
};

const artifactOf = (digest = 'd'): ReturnType<typeof embeddingArtifact> =>
  embeddingArtifact('esm-2', { ...laneOffer().model, digest }, entry);

const vectorOf = (row: number): Float32Array => Float32Array.of(row + 0.5, -row);

describe('activities/batch-parts', () => {
  let root: string;
  let store: LocalStore;
  beforeEach(async () => {
    root = await temporaryFolder();
    store = new LocalStore(root);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const open = (digest?: string): Promise<BatchParts> => BatchParts.open(store, artifactOf(digest), IDS, WIDTH);
  const known = (parts: BatchParts): number[] => IDS.flatMap((_, row) => (parts.has(row) ? [row] : []));
  const add = (parts: BatchParts, ...rows: number[]): void => rows.forEach((row) => parts.add(row, vectorOf(row)));
  const folder = (): string => path.join(root, artifactOf().key.replace(/\.arrow$/, '.parts'));
  const partFiles = async (): Promise<string[]> => (await readdir(folder()).catch(() => [])).sort();
  const published = (): Promise<Embeddings> =>
    readEmbeddings(path.join(root, artifactOf().key), digestOfOrigin(artifactOf().origin));

  it('a later attempt goes on from what earlier ones saved, and publishes all in order of the batch', async () => {
    const first = await open();
    assert.deepEqual(known(first), []);
    add(first, 3, 1);
    await first.save();
    add(first, 0);
    // Killed here: row 0 was not saved.

    const second = await open();
    assert.deepEqual(known(second), [1, 3]);
    add(second, 2);
    await second.save();
    const third = await open();
    assert.deepEqual(known(third), [1, 2, 3]);
    add(third, 0);
    await third.publish([]);
    const { ids, vectors, width } = await published();
    assert.deepEqual([ids, width], [IDS, WIDTH]);
    assert.deepEqual(
      [...vectors],
      IDS.flatMap((_, row) => [...vectorOf(row)]),
    );
    assert.deepEqual(await partFiles(), [], 'parts go when the batch is whole');
  });

  it('saves each vector once, a file a time, and none for nothing', async () => {
    const parts = await open();
    await parts.save();
    assert.equal((await partFiles()).length, 0);
    add(parts, 0, 1);
    await parts.save();
    add(parts, 2);
    await parts.save();
    await parts.save();
    const files = await partFiles();
    const ids = await Promise.all(files.map(async (file) => (await readEmbeddings(path.join(folder(), file))).ids));
    assert.deepEqual(ids.sort(), [['a', 'b'], ['c']]);
  });

  it('is due when something has waited for so long, and not before', async () => {
    const parts = await open();
    await sleep(30);
    assert.equal(parts.isDue(20), false, 'nothing to save');
    add(parts, 0);
    assert.equal(parts.isDue(20), true);
    assert.equal(parts.isDue(60_000), false);
    await parts.save();
    add(parts, 1);
    assert.equal(parts.isDue(10_000), false, 'counted from the last save');
  });

  it('leaves quarantined sequences out and names them with their reason', async () => {
    const parts = await open();
    add(parts, 0, 2, 3);
    await parts.publish([{ id: 'b', reason: 'non_finite' }]);
    const { ids, vectors, quarantined } = await published();
    assert.deepEqual(ids, ['a', 'c', 'd']);
    assert.deepEqual(
      [...vectors],
      [0, 2, 3].flatMap((row) => [...vectorOf(row)]),
    );
    assert.deepEqual(quarantined, [{ id: 'b', reason: 'non_finite' }]);
  });

  it('passes over parts of another model, and over broken ones', async () => {
    const other = await open('other model');
    add(other, 0, 1, 2, 3);
    await other.save();
    assert.deepEqual(known(await open()), []);
    const mine = await open();
    add(mine, 2);
    await mine.save();
    await writeFile(path.join(folder(), '0-broken.arrow'), 'not Arrow');
    assert.deepEqual(known(await open()), [2]);
  });

  it('keeps in memory what the disk refused, and saves it the next time', async () => {
    const parts = await open();
    add(parts, 0);
    const { put } = store;
    store.put = () => Promise.reject(new StorageError({ what: 'disk full', next: '' }));
    await assert.rejects(parts.save(), StorageError);
    add(parts, 1);
    store.put = put;
    await parts.save();
    assert.deepEqual(known(await open()), [0, 1]);
  });
});
