import { ModelError } from '../../contract/failures.js';
import type { CheckpointFile } from './checkpoint-file.js';
import { DamagedCheckpoint } from './damaged.js';

/** What a file is, by its content. An index names the files of a sharded checkpoint. */
export type FileKind = 'safetensors' | 'torch-zip' | 'index';

/** Enough for a tar header's mark at 257. */
const HEAD_BYTES = 512;

/** @throws ModelError for everything else, naming what it is where that is known. */
export async function fileKind(file: CheckpointFile): Promise<FileKind> {
  const head = await file.read(0, Math.min(HEAD_BYTES, file.size));
  const text = head.toString('latin1');
  const refuse = (what: string, next: string): ModelError => new ModelError({ what, where: file.path, next });
  if (head.length === 0) {
    throw new DamagedCheckpoint({ what: 'empty file', where: file.path, next: 'Download it again' });
  }
  if (text.startsWith('version https://git-lfs')) {
    throw refuse('a Git LFS pointer, not the model itself', 'Run `git lfs pull` in its folder');
  }
  if (text.startsWith('PK\x03\x04')) return 'torch-zip';
  if (text[8] === '{' && text[4] === '\0') return 'safetensors';
  if (/^\s*\{/.test(text)) return 'index';
  if (text[8] === '{') return 'safetensors';
  if (/^\s*<(!doctype|html|\?xml)/i.test(text))
    throw refuse('a web page, not a model', 'Download the file itself, not the page about it');
  if (text[0] === '\x80' || text.startsWith('ustar', 257)) {
    throw refuse(
      'a legacy torch file or bare pickle (before PyTorch 1.6), which is not read',
      'In an environment of your own with a current PyTorch: torch.save(torch.load(old), new), or convert it to safetensors',
    );
  }
  throw refuse(
    `not a checkpoint: begins with ${JSON.stringify(text.slice(0, 16))}; known are safetensors and torch zip files`,
    'Name a checkpoint file or its folder',
  );
}
