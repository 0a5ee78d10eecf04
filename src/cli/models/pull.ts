import { byteText } from '../../io/figure-text.js';
import { pullModel } from '../../model/store/pull.js';
import { interruption } from '../run.js';
import { openTransferDisplay } from '../transfer-display.js';
import { sayWaiting } from './waiting.js';

/**
 * Downloads a model unless it is here, and prints its path.
 * @throws ModelError, OptionError, StorageError; Interrupted.
 */
export async function pull(name: string, { revision }: { revision?: string | undefined }): Promise<void> {
  const display = openTransferDisplay(process.stderr);
  try {
    const pulled = await pullModel({
      name,
      ...(revision !== undefined && { revision }),
      env: process.env,
      signal: interruption(),
      lock: { onWait: sayWaiting },
      onFiles: (files, commit) => {
        const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
        process.stderr.write(`${name} at revision ${commit}: ${files.length} files, ${byteText(bytes)}\n`);
      },
      onTrouble: (trouble, waitMs) => display.note(`! ${trouble}; another try in ${waitMs / 1000} s`),
      onBytes: (file, done) => display.show(file.name, done, file.bytes),
    });
    const commit = pulled.revision === undefined ? '' : `, revision ${pulled.revision}`;
    process.stderr.write(`${pulled.name} is ${pulled.already ? 'already here' : 'complete and checked'}${commit}\n`);
    console.log(pulled.path);
  } finally {
    display.close();
  }
}
