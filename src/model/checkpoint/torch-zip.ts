import { ModelError } from '../../contract/failures.js';
import type { CheckpointFile } from './checkpoint-file.js';
import { damaged } from './damaged.js';
import { MAX_PICKLE_BYTES, readPickle } from './pickle.js';
import { TORCH_GLOBALS, torchTensors } from './torch-tensors.js';
import type { TensorEntry } from './types.js';
import { RecordChecksums, type ZipRecord, readRecord, readZipRecords } from './zip.js';

/**
 * Files up to this size have every record checked when they are opened (0.1 s); larger ones when their digest is
 * taken (digest.ts), which reads all bytes anyway.
 */
export const CHECKED_AT_OPEN_BYTES = 256 << 20;

/**
 * The tensors of a file written by `torch.save` of PyTorch 1.6 or later: a zip file with `data.pkl`, one record for
 * each storage under `data/`, and since 2.1 `byteorder`, all in one folder.
 * @throws ModelError when it is damaged, asks for code, or holds its weights in a way that we cannot use in place.
 */
export async function readTorchZip(file: CheckpointFile): Promise<TensorEntry[]> {
  const records = await readZipRecords(file);
  const pickles = [...records.values()].filter(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw new ModelError({
      what: `zip file with ${pickles.length} records <name>/data.pkl, expected 1: not written by torch.save`,
      where: file.path,
      next: 'Name the checkpoint itself; unpack an archive that holds it first',
    });
  }
  if (pickle.bytes > MAX_PICKLE_BYTES) {
    throw damaged(`pickle of ${pickle.bytes} bytes, allowed are ${MAX_PICKLE_BYTES}`, file.path);
  }
  const folder = pickle.name.slice(0, -'data.pkl'.length);
  await checkByteOrder(file, records.get(`${folder}byteorder`));
  if (file.size <= CHECKED_AT_OPEN_BYTES) await checkAllRecords(file, records.values());
  const root = readPickle(await readRecord(file, pickle), TORCH_GLOBALS, file.path);
  return torchTensors(root, (key) => records.get(`${folder}data/${key}`), file.path);
}

async function checkAllRecords(file: CheckpointFile, records: Iterable<ZipRecord>): Promise<void> {
  const checksums = new RecordChecksums(records, file.path);
  for await (const piece of file.pieces(0, file.size)) checksums.update(piece);
}

/** Files from before PyTorch 2.1 lack the record; torch reads them as little-endian. */
async function checkByteOrder(file: CheckpointFile, record: ZipRecord | undefined): Promise<void> {
  if (record === undefined) return;
  if (record.bytes > 16) throw damaged(`byteorder record of ${record.bytes} bytes`, file.path);
  const order = (await readRecord(file, record)).toString('latin1');
  if (order === 'little') return;
  throw new ModelError({
    what: `weights have byte order ${JSON.stringify(order)}, allowed is "little"`,
    where: file.path,
    next: 'Save it again on a little-endian machine, or convert it to safetensors',
  });
}
