import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Provenance, provenanceSchema } from '../../src/io/provenance.js';

/** What a finished sample's folder says of its making. */
export async function readProvenance(folder: string): Promise<Provenance> {
  return provenanceSchema.parse(JSON.parse(await readFile(path.join(folder, 'provenance.json'), 'utf8')));
}
