import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { changedFiles } from '../activities/finished-sample.js';
import { ArtifactInvalid, InputError, ModelError, StorageError, type VirnucproError } from '../contract/failures.js';
import { isForeignArrowFile, readArrowFile } from '../io/arrow-file.js';
import { toInputError } from '../io/input.js';
import { cacheFolderPath } from '../io/user-folders.js';
import { checkCheckpoint } from '../model/check-checkpoint.js';
import { DamagedCheckpoint } from '../model/checkpoint/damaged.js';
import { HUB_NAMES, possibleCheckpoints } from '../model/checkpoint/file-names.js';
import { ExitWith } from './run.js';

/** Exit codes, as the original has them. */
const SOME_BAD = 1;
const NOTHING = 3;

/** Where a run keeps the digests of a finished sample's files. */
const FINISHED = path.join('.virnucpro', 'finished.json');

type Verdict = 'ok' | 'CORRUPTED' | 'INCOMPATIBLE';

/** Something that can be checked: gives what it is, or throws what is wrong with it. */
interface Item {
  file: string;
  check: () => Promise<string>;
}

/**
 * Checks every model checkpoint and every artifact of a run at or below `paths`, prints a line for each, and sets the
 * exit code: 0 all are ok, 1 some are not.
 * @param load also what takes reading all bytes of a model.
 * @throws ExitWith 3 for a path that is not there, or when there is nothing to check.
 */
export async function validateCheckpoints(paths: readonly string[], { load }: { load: boolean }): Promise<void> {
  const counts: Record<Verdict, number> = { ok: 0, CORRUPTED: 0, INCOMPATIBLE: 0 };
  for (const given of paths) {
    for await (const { file, check } of itemsAt(given, load)) {
      const { verdict, what } = await check().then(
        (found) => ({ verdict: 'ok' as const, what: found }),
        (error: unknown) => ({ verdict: verdictOf(error), what: (error as VirnucproError).what }),
      );
      counts[verdict] += 1;
      console.log(`${verdict.padEnd(12)}  ${file}: ${what}`);
    }
  }
  const total = counts.ok + counts.CORRUPTED + counts.INCOMPATIBLE;
  if (total === 0) {
    throw new ExitWith(
      NOTHING,
      new InputError({
        what: 'nothing to check: no model checkpoint (.safetensors, .bin, .pt, .pth), no artifact of a run (.arrow)',
        where: paths.join(', '),
        next: "Name a model's folder or file, or the output folder of predict",
      }),
    );
  }
  console.log(`${total} checked: ${counts.ok} ok, ${counts.CORRUPTED} corrupted, ${counts.INCOMPATIBLE} incompatible`);
  if (counts.ok < total) process.exitCode = SOME_BAD;
}

async function* itemsAt(given: string, load: boolean): AsyncGenerator<Item> {
  const found = await stat(given).catch((error: unknown) => {
    throw new ExitWith(NOTHING, toInputError(error, given));
  });
  if (found.isDirectory()) yield* itemsBelow(given, load);
  else yield itemOf(given, load);
}

async function* itemsBelow(folder: string, load: boolean): AsyncGenerator<Item> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  // A hub's names are those of one model, perhaps in several files.
  const isModel = HUB_NAMES.some((name) => names.includes(name));
  if (isModel) yield itemOf(folder, load);
  const files = isModel ? [] : possibleCheckpoints(names);
  for (const name of [...files, ...names.filter((other) => other.endsWith('.arrow')).sort()]) {
    yield itemOf(path.join(folder, name), load);
  }
  if (path.basename(folder) === path.dirname(FINISHED) && names.includes(path.basename(FINISHED))) {
    yield { file: path.dirname(folder), check: () => checkResults(path.dirname(folder)) };
  }
  for (const { name } of entries.filter((entry) => entry.isDirectory()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    yield* itemsBelow(path.join(folder, name), load);
  }
}

function itemOf(file: string, load: boolean): Item {
  const cacheDir = cacheFolderPath();
  return {
    file,
    check: () => (file.endsWith('.arrow') ? checkArtifact(file) : checkCheckpoint(file, { load, cacheDir })),
  };
}

async function checkArtifact(file: string): Promise<string> {
  if (await isForeignArrowFile(file)) {
    throw new ModelError({
      what: 'an Arrow file of another program, or of an earlier version',
      where: file,
      next: 'Nothing here uses it',
    });
  }
  const { header, rows } = await readArrowFile(file);
  return `${header.kind}, ${rows} rows`;
}

async function checkResults(folder: string): Promise<string> {
  const { files, changed } = await changedFiles({ sample: { prefix: '' }, options: { outputDir: folder } });
  if (changed.length === 0) return `${files} result files`;
  throw new ArtifactInvalid({
    what: `${changed.length} of ${files} result files are not as the run left them: ${changed.join(', ')}`,
    where: folder,
    next: 'Give the predict command again: it makes them anew',
  });
}

function verdictOf(error: unknown): Verdict {
  if (error instanceof DamagedCheckpoint || error instanceof ArtifactInvalid || error instanceof StorageError) {
    return 'CORRUPTED';
  }
  if (error instanceof ModelError) return 'INCOMPATIBLE';
  throw error;
}
