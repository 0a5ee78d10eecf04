import { access } from 'node:fs/promises';

/** Whether there is such a file or folder, as far as this process can see. */
export function exists(place: string): Promise<boolean> {
  return access(place).then(
    () => true,
    () => false,
  );
}
