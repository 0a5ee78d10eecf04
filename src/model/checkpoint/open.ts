import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ModelError } from '../../contract/failures.js';
import { type CheckpointFile, unreadable, withCheckpointFile } from './checkpoint-file.js';
import { damaged } from './damaged.js';
import { HUB_NAMES, checkpointName, possibleCheckpoints } from './file-names.js';
import { fileKind } from './kind.js';
import { readSafetensors } from './safetensors.js';
import { readTorchZip } from './torch-zip.js';
import type { Checkpoint, TensorEntry } from './types.js';

/** An index has a line a tensor: 0.1 MB for ESM-2 15B. */
const MAX_INDEX_BYTES = 16 << 20;
/** One shard holds gigabytes. */
const MAX_SHARDS = 1000;

const shardIndex = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * Reads where the tensors of a checkpoint lie. Nothing in it is executed, no weight is loaded, nothing is written.
 * @param source a file (safetensors, torch zip, or the index of a sharded one; told apart by content) or a folder with
 *   a hub's file names or exactly one checkpoint file.
 * @throws ModelError when it is missing, damaged, asks for code, or is of a kind that we do not read.
 */
export async function openCheckpoint(source: string): Promise<Checkpoint> {
  const status = await stat(source).catch(() => undefined);
  const named = status?.isDirectory() ? await findInFolder(source) : source;
  const { entries, format } = await withCheckpointFile(named, (file) => readFileOrShards(file, named));
  if (entries.length === 0) throw damaged('checkpoint without any tensor', named);
  const tensors = new Map(entries.map((entry) => [entry.name, entry]));
  if (tensors.size < entries.length) {
    const twice = entries.find((entry) => tensors.get(entry.name) !== entry)!;
    throw damaged(`tensor ${twice.name} is there twice`, named);
  }
  return { source, format, files: [...new Set(entries.map(({ file }) => file))], tensors };
}

interface Contents {
  format: Checkpoint['format'];
  entries: TensorEntry[];
}

async function readFileOrShards(file: CheckpointFile, named: string): Promise<Contents> {
  const kind = await fileKind(file);
  return kind === 'index' ? readShards(file, path.dirname(named)) : readContents(file, kind);
}

async function readContents(file: CheckpointFile, format: Checkpoint['format']): Promise<Contents> {
  return { format, entries: await (format === 'safetensors' ? readSafetensors(file) : readTorchZip(file)) };
}

/** All tensors of all shards, in the order of the shards' names. */
async function readShards(index: CheckpointFile, folder: string): Promise<Contents> {
  const shardOf = await readIndex(index);
  const shards = [...new Set(shardOf.values())].sort();
  if (shards.length === 0 || shards.length > MAX_SHARDS) {
    throw damaged(`index with ${shards.length} shards, allowed are 1 to ${MAX_SHARDS}`, index.path);
  }
  const wrong = shards.find((shard) => shard !== path.basename(shard) || /^\.*$|[\\\0]/.test(shard));
  if (wrong !== undefined)
    throw damaged(`index names the shard ${JSON.stringify(wrong)} outside its folder`, index.path);
  const contents: Contents[] = [];
  for (const shard of shards) {
    const shardContents = await withCheckpointFile(path.join(folder, shard), async (file) => {
      const kind = await fileKind(file);
      if (kind === 'index') throw damaged('a shard that is an index itself', file.path);
      return readContents(file, kind);
    });
    const held = new Set(shardContents.entries.map(({ name }) => name));
    for (const [name, expected] of shardOf) {
      if (expected === shard && !held.has(name)) throw damaged(`shard ${shard} lacks the tensor ${name}`, index.path);
    }
    contents.push(shardContents);
  }
  const formats = new Set(contents.map(({ format }) => format));
  if (formats.size > 1) throw damaged('shards of different formats', index.path);
  return { format: contents[0]!.format, entries: contents.flatMap(({ entries }) => entries) };
}

async function readIndex(file: CheckpointFile): Promise<Map<string, string>> {
  if (file.size > MAX_INDEX_BYTES) {
    throw damaged(`index of ${file.size} bytes, allowed are ${MAX_INDEX_BYTES}`, file.path);
  }
  let parsed: z.infer<typeof shardIndex>;
  try {
    parsed = shardIndex.parse(JSON.parse((await file.read(0, file.size)).toString('utf8')));
  } catch (error) {
    if (error instanceof ModelError) throw error;
    throw new ModelError({
      what: 'JSON that is not the index of a sharded checkpoint (a weight_map of tensor names to file names)',
      where: file.path,
      next: 'Name the model folder, or download the index again',
      cause: error,
    });
  }
  return new Map(Object.entries(parsed.weight_map));
}

async function findInFolder(folder: string): Promise<string> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  const found = checkpointName(names);
  if (found !== undefined) return path.join(folder, found);
  const others = possibleCheckpoints(names);
  throw new ModelError({
    what:
      others.length > 1
        ? `folder with several checkpoints: ${others.join(', ')}`
        : `folder without a checkpoint: looked for ${HUB_NAMES.join(', ')}, or one file *.safetensors, *.pt, *.pth, *.bin`,
    where: folder,
    next: others.length > 1 ? 'Name one of the files' : 'Check the path, or download the model first',
  });
}
