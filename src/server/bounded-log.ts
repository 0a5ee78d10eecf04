import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';

const CHECK_MS = 30_000;
const TAIL_BYTES = 4096;

/**
 * A log file that child processes write to by themselves, so that it also holds the last words of one whose supervisor
 * is gone. Once it is over `maxBytes` it starts again, and the old text stays beside it as `<file>.1`.
 */
export class BoundedLog {
  /** For a child's stdout and stderr. */
  readonly fd: number;
  readonly #timer: NodeJS.Timeout;
  #start: number;

  constructor(
    readonly file: string,
    private readonly maxBytes = 8 << 20,
  ) {
    this.fd = openSync(file, 'a+', 0o600);
    this.#start = fstatSync(this.fd).size;
    this.#bound();
    this.#timer = setInterval(() => this.#bound(), CHECK_MS).unref();
  }

  /** The last lines that were written since this log was opened. */
  tail(lines = 8): string {
    const { size } = fstatSync(this.fd);
    const from = Math.max(this.#start, size - TAIL_BYTES);
    const bytes = Buffer.alloc(Math.max(0, size - from));
    readSync(this.fd, bytes, 0, bytes.length, from);
    return bytes.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** The child keeps its own handle. */
  close(): void {
    clearInterval(this.#timer);
    closeSync(this.fd);
  }

  #bound(): void {
    if (fstatSync(this.fd).size <= this.maxBytes) return;
    copyFileSync(this.file, `${this.file}.1`);
    ftruncateSync(this.fd, 0);
    this.#start = 0;
  }
}
