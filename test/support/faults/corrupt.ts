import { open, stat } from 'node:fs/promises';

/** Flips one bit in the middle of a file, in place, as a failing disk would. */
export async function flipByte(file: string): Promise<void> {
  const at = (await stat(file)).size >> 1;
  const handle = await open(file, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    byte[0]! ^= 1;
    await handle.write(byte, 0, 1, at);
  } finally {
    await handle.close();
  }
}
