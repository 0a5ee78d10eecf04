import type { FileHandle } from 'node:fs/promises';

const BUFFER_BYTES = 1 << 20;
const LF = 10;

/** Gathers bytes for a file and writes them in large pieces. Call {@link flushIfFull} often and {@link flush} at the end. */
export class ByteWriter {
  private buffer = Buffer.allocUnsafe(2 * BUFFER_BYTES);
  private used = 0;

  constructor(private readonly handle: FileHandle) {}

  text(text: string): void {
    this.reserve(3 * text.length);
    this.used += this.buffer.write(text, this.used);
  }

  /** Bytes in lines of `width`. */
  lines(bytes: Uint8Array, width: number): void {
    this.reserve(bytes.length + Math.ceil(bytes.length / width));
    const { buffer } = this;
    let to = this.used;
    for (let start = 0; start < bytes.length; start += width) {
      const end = Math.min(start + width, bytes.length);
      for (let i = start; i < end; i++) buffer[to++] = bytes[i]!;
      buffer[to++] = LF;
    }
    this.used = to;
  }

  /** Undefined, without a promise to wait for, while there is room. */
  flushIfFull(): Promise<void> | undefined {
    return this.used < BUFFER_BYTES ? undefined : this.flush();
  }

  async flush(): Promise<void> {
    const { used } = this;
    this.used = 0;
    await this.handle.writeFile(this.buffer.subarray(0, used));
  }

  private reserve(bytes: number): void {
    if (this.used + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.used + bytes));
    this.buffer.copy(larger, 0, 0, this.used);
    this.buffer = larger;
  }
}
