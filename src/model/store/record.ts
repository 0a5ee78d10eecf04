import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { writeAtomically } from '../../io/local-store.js';

const RECORD_FILE = 'virnucpro-model.json';

const recordSchema = z.object({
  /** Short name in the catalogue. */
  name: z.string(),
  /** Where it came from: the hub's address and repository, or the folder that was imported. */
  source: z.string(),
  /** Commit of the repository. */
  revision: z.string().optional(),
  /** Branch, tag or commit that was asked for. */
  asked: z.string().optional(),
  /** When it was complete, ISO 8601. */
  date: z.string(),
  /** Version of this program. */
  virnucpro: z.string(),
  /** What was checked on arrival; small files of a hub have no SHA-256 there. */
  files: z.array(z.object({ name: z.string(), bytes: z.int(), sha256: z.string().optional() })),
});

/** What is known of a model in our cache; lies beside its files. */
export type ModelRecord = z.infer<typeof recordSchema>;

export function writeModelRecord(folder: string, record: ModelRecord): Promise<void> {
  const text = `${JSON.stringify(record, null, 2)}\n`;
  return writeAtomically(path.join(folder, RECORD_FILE), (temporary) => writeFile(temporary, text));
}

/** The record in a model's folder, if there is one. */
export async function readModelRecord(folder: string): Promise<ModelRecord | undefined> {
  const text = await readFile(path.join(folder, RECORD_FILE), 'utf8').catch(() => '{}');
  try {
    return recordSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
