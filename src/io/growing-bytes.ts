import { breather } from './breather.js';

const FIRST_CAPACITY = 1 << 20;
const COPY_BYTES = 1 << 23;

/** One array that is filled again and again, and doubled when it is full: no garbage, and no large copy at the end. */
export class GrowingBytes {
  /** Room to write to; only the bytes before {@link length} mean anything. */
  bytes = new Uint8Array(FIRST_CAPACITY);
  length = 0;

  get isFull(): boolean {
    return this.length === this.bytes.length;
  }

  /** Doubles the room, up to `largest` bytes. Yields to the event loop while it copies. */
  async grow(largest: number): Promise<void> {
    const breathe = breather();
    const larger = new Uint8Array(Math.min(2 * this.bytes.length, largest));
    for (let at = 0; at < this.length; at += COPY_BYTES) {
      larger.set(this.bytes.subarray(at, Math.min(at + COPY_BYTES, this.length)), at);
      const pause = breathe();
      if (pause) await pause;
    }
    this.bytes = larger;
  }
}
