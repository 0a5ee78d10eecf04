import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';

/** Result tables by name under the output folder. */
export type Tables = Map<string, Buffer>;

/** Files that say when and where they were made, and so differ from run to run. */
const NOT_TABLES = new Set(['provenance.json', 'report.html']);

/** All result tables of a finished run. */
export async function readTables(outputDir: string): Promise<Tables> {
  const entries = await readdir(outputDir, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && !NOT_TABLES.has(entry.name))
    .map((entry) => path.relative(outputDir, path.join(entry.parentPath, entry.name)))
    .filter((name) => !name.startsWith('.virnucpro/'))
    .sort();
  return new Map(
    await Promise.all(files.map(async (name) => [name, await readFile(path.join(outputDir, name))] as const)),
  );
}

/** Byte for byte, every table of one run is there in the other. */
export async function assertSameTables(outputDir: string, expected: Tables): Promise<void> {
  const actual = await readTables(outputDir);
  assert.ok(expected.has('input_merged/prediction_results.txt'), 'the undisturbed run wrote its calls');
  assert.deepEqual([...actual.keys()], [...expected.keys()]);
  for (const [name, bytes] of expected) assert.ok(bytes.equals(actual.get(name)!), `${name} differs`);
}
