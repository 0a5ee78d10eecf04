import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { InputError } from '../../contract/failures.js';
import { CAMPAIGN_TABLE, readCampaignTable } from '../../io/campaign-table.js';
import { toInputError } from '../../io/input.js';
import { exists } from '../../io/exists.js';
import { TABLES } from './score-tables.js';

/** What the folder of a sample's two tables is called behind its stem, here and in the original tool. */
const MERGED = '_merged';

/**
 * The result tables of a run: folders that hold both, by sample. A run's folder has them in `<stem>_merged`, or, for
 * several samples, in such a folder of each sample's own; so has the original tool's, and its `_merged` folder itself
 * will do. Where a campaign.tsv is, only its finished samples count.
 * @throws InputError when the folder is not there, or holds no such tables.
 */
export async function findResults(folder: string): Promise<Map<string, string>> {
  if (await holdsTables(folder)) return new Map([[stemOf(path.basename(path.resolve(folder))), folder]]);
  const samples = await finishedSamples(folder);
  const counts = ([name]: [string, string]): boolean => samples === undefined || samples.has(name);
  const own = (await mergedFolders(folder)).filter(counts);
  const found = own.length > 0 ? own : (await resultsOfSubfolders(folder)).filter(counts);
  if (found.length > 0) return new Map(found);
  throw new InputError({
    what: `no results here: no <name>${MERGED}/${TABLES.frames.file}, also not one folder down`,
    where: folder,
    next: 'Name the output folder of a finished predict, or of the original tool',
  });
}

async function finishedSamples(folder: string): Promise<Set<string> | undefined> {
  if (!(await exists(path.join(folder, CAMPAIGN_TABLE)))) return undefined;
  const done = (await readCampaignTable(folder)).filter(({ status }) => status === 'done');
  return new Set(done.map(({ sample }) => sample));
}

/** A sample's folder gives it its name, unless it holds the results of several. */
async function resultsOfSubfolders(folder: string): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for (const name of await subfolders(folder)) {
    const merged = await mergedFolders(path.join(folder, name));
    for (const [stem, where] of merged) found.push([merged.length === 1 ? name : `${name}/${stem}`, where]);
  }
  return found;
}

async function mergedFolders(folder: string): Promise<[stem: string, folder: string][]> {
  const found: [string, string][] = [];
  for (const name of await subfolders(folder)) {
    const merged = path.join(folder, name);
    if (name.endsWith(MERGED) && (await holdsTables(merged))) found.push([stemOf(name), merged]);
  }
  return found;
}

async function subfolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw toInputError(error, folder);
    throw new InputError({ what: 'no such folder', where: folder, next: 'Check the path', cause: error });
  });
  return entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => name)
    .sort();
}

function stemOf(name: string): string {
  return name.endsWith(MERGED) ? name.slice(0, -MERGED.length) : name;
}

function holdsTables(folder: string): Promise<boolean> {
  return exists(path.join(folder, TABLES.frames.file));
}
