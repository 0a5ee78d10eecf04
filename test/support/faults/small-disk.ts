import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A file system of a few megabytes that a test can fill. Needs root. */
export class SmallDisk {
  private constructor(readonly dir: string) {}

  /** Mounts one, or says in a sentence's end why that cannot be done here. */
  static mount(megabytes: number): SmallDisk | string {
    const dir = mkdtempSync(path.join(tmpdir(), 'virnucpro-disk-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', dir], { stdio: 'pipe' });
      return new SmallDisk(dir);
    } catch {
      rmSync(dir, { recursive: true });
      return 'mounting a tmpfs needs root';
    }
  }

  /** Takes every byte that is left. */
  async fill(): Promise<void> {
    const file = await open(this.filler, 'a');
    try {
      // The last blocks go one by one: a large write that does not fit is cut short first.
      for (const chunk of [Buffer.alloc(1 << 20), Buffer.alloc(1 << 12)]) {
        for (;;) {
          const written = await file.write(chunk).catch(() => undefined);
          if (written === undefined) break;
        }
      }
    } finally {
      await file.close();
    }
  }

  async free(): Promise<void> {
    await rm(this.filler);
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.dir]);
    rmSync(this.dir, { recursive: true });
  }

  private get filler(): string {
    mkdirSync(this.dir, { recursive: true });
    return path.join(this.dir, 'filler');
  }
}
