import type { Embeddings } from '../io/embeddings-file.js';
import { readEmbeddings, writeEmbeddings } from '../io/embeddings-file.js';
import type { ArtifactStore } from '../io/artifact-store.js';
import { ArtifactInvalid } from '../contract/failures.js';
import { digestOfOrigin } from '../io/origin.js';
import type { embeddingArtifact } from './embedding-artifact.js';

let parts = 0;

/**
 * The vectors of a batch that is under way: those that earlier attempts saved in part files, and new ones, saved from
 * time to time. A part holds ids with their vectors, so the order in which sequences were embedded never matters.
 */
export class BatchParts {
  private readonly vectors: Float32Array;
  private readonly known: Uint8Array;
  private unsaved: number[] = [];
  private savedAt = Date.now();

  private constructor(
    private readonly store: ArtifactStore,
    private readonly artifact: ReturnType<typeof embeddingArtifact>,
    private readonly ids: readonly string[],
    private readonly width: number,
  ) {
    this.vectors = new Float32Array(ids.length * width);
    this.known = new Uint8Array(ids.length);
  }

  /** Finds what earlier attempts at this batch saved; parts that are not whole or of another origin are passed over. */
  static async open(
    store: ArtifactStore,
    artifact: ReturnType<typeof embeddingArtifact>,
    ids: readonly string[],
    width: number,
  ): Promise<BatchParts> {
    const batch = new BatchParts(store, artifact, ids, width);
    const rowOf = new Map(ids.map((id, row) => [id, row]));
    for (const key of await store.list(batch.folder)) {
      const part = await batch.read(key);
      part?.ids.forEach((id, i) => {
        const row = rowOf.get(id);
        if (row !== undefined) batch.set(row, part.vectors.subarray(i * width, (i + 1) * width));
      });
    }
    return batch;
  }

  has(row: number): boolean {
    return this.known[row] === 1;
  }

  add(row: number, vector: Float32Array): void {
    this.set(row, vector);
    this.unsaved.push(row);
  }

  /** True when vectors wait to be saved for `ms` or longer. */
  isDue(ms: number): boolean {
    return this.unsaved.length > 0 && Date.now() - this.savedAt >= ms;
  }

  /** Saves the vectors that are not saved yet as one more part. */
  async save(): Promise<void> {
    const rows = this.unsaved;
    this.unsaved = [];
    this.savedAt = Date.now();
    if (rows.length === 0) return;
    parts += 1;
    const key = `${this.folder}/${process.pid}-${this.savedAt.toString(36)}-${parts}.arrow`;
    try {
      await this.store.put(key, (file) => this.write(file, this.rowsOf(rows)));
    } catch (error) {
      this.unsaved = [...rows, ...this.unsaved];
      throw error;
    }
  }

  /** Publishes the batch: every sequence but the quarantined ones, in the batch's order. The parts go. */
  async publish(quarantined: NonNullable<Embeddings['quarantined']>): Promise<void> {
    const out = new Set(quarantined.map(({ id }) => id));
    const rows = this.ids.flatMap((id, row) => (out.has(id) ? [] : [row]));
    await this.store.put(this.artifact.key, (file) => this.write(file, { ...this.rowsOf(rows), quarantined }));
    await this.store.remove(this.folder);
  }

  private get folder(): string {
    return this.artifact.key.replace(/\.arrow$/, '.parts');
  }

  private set(row: number, vector: Float32Array): void {
    this.vectors.set(vector, row * this.width);
    this.known[row] = 1;
  }

  private rowsOf(rows: number[]): Embeddings {
    const vectors = new Float32Array(rows.length * this.width);
    rows.forEach((row, i) =>
      vectors.set(this.vectors.subarray(row * this.width, (row + 1) * this.width), i * this.width),
    );
    return { ids: rows.map((row) => this.ids[row]!), vectors, width: this.width };
  }

  private write(file: string, embeddings: Embeddings): Promise<number> {
    return writeEmbeddings(file, digestOfOrigin(this.artifact.origin), embeddings);
  }

  private async read(key: string): Promise<Embeddings | undefined> {
    const file = await this.store.peek(key);
    if (file === undefined) return undefined;
    try {
      const part = await readEmbeddings(file, digestOfOrigin(this.artifact.origin));
      return part.width === this.width ? part : undefined;
    } catch (error) {
      if (error instanceof ArtifactInvalid) return undefined;
      throw error;
    }
  }
}
