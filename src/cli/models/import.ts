import { byteText } from '../../io/figure-text.js';
import { importModel } from '../../model/store/import.js';
import { interruption } from '../run.js';
import { sayWaiting } from './waiting.js';

/**
 * Puts a model into our cache and prints its path.
 * @throws ModelError, OptionError, StorageError; Interrupted.
 */
export async function importFrom(source: string, { name }: { name?: string | undefined }): Promise<void> {
  const imported = await importModel({
    source,
    ...(name !== undefined && { name }),
    env: process.env,
    signal: interruption(),
    lock: { onWait: sayWaiting },
  });
  const how = imported.copied === 0 ? 'hard-linked' : `${byteText(imported.copied)} of it copied`;
  const files = imported.files.map((file) => file.name).join(', ');
  process.stderr.write(`${imported.name} imported, ${how}: ${files}\n`);
  console.log(imported.path);
}
