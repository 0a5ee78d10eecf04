import { access, constants, mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { OptionError } from '../contract/failures.js';

/**
 * Makes the folder that results go to, unless it is there. Returns its one absolute path, whatever
 * links lead to it.
 * @throws OptionError when it is no folder or cannot be written to.
 */
export async function makeOutputFolder(folder: string): Promise<string> {
  const resolved = path.resolve(folder);
  try {
    await mkdir(resolved, { recursive: true });
    await access(resolved, constants.W_OK);
    return await realpath(resolved);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OptionError({
      what:
        code === 'EEXIST' || code === 'ENOTDIR'
          ? 'the output folder, or one above it, is a file'
          : `the output folder cannot be written to (${code})`,
      where: resolved,
      next: 'Give another folder with -o',
      cause: error,
    });
  }
}
