import { createHash } from 'node:crypto';
import type { ArtifactRef } from '../contract/artifacts.js';
import { ArtifactInvalid } from '../contract/failures.js';
import { readArrowFile } from './arrow-file.js';
import type { ArtifactStore } from './artifact-store.js';

/** All that decides what an artifact holds. */
export type Origin = { kind: string } & Readonly<Record<string, string | number>>;

/** What artifacts carry as `made_by`: SHA-256 of the origin as JSON with sorted keys. */
export function digestOfOrigin(origin: Origin): string {
  const sorted = Object.fromEntries(Object.entries(origin).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}

/** The reference to the artifact of this origin under `key`, or undefined when none is there or it is not whole. */
export async function findWhole(store: ArtifactStore, key: string, origin: Origin): Promise<ArtifactRef | undefined> {
  const file = await store.peek(key);
  if (file === undefined) return undefined;
  try {
    const { rows } = await readArrowFile(file, { kind: origin.kind, madeBy: digestOfOrigin(origin) });
    return await store.describe(key, rows);
  } catch (error) {
    if (error instanceof ArtifactInvalid) return undefined;
    throw error;
  }
}
