import type { Alphabet } from './alphabet.js';
import { breather } from './breather.js';

const BLOCK_BYTES = 1 << 20;

/** Bases of the record that is being read. Long ones gather in blocks, so that growing never copies what is there. */
export class BaseBuffer {
  private full: Uint8Array[] = [];
  private block = new Uint8Array(BLOCK_BYTES);
  private used = 0;
  private readonly isBase = new Uint8Array(256);

  constructor({ letters }: Alphabet) {
    for (const letter of letters + letters.toLowerCase()) this.isBase[letter.charCodeAt(0)] = 1;
  }

  get length(): number {
    return this.full.length * BLOCK_BYTES + this.used;
  }

  /**
   * Takes the bases of `piece` from `at` on until something that is no base, the piece's end or the block's end.
   * @returns the position behind what it took.
   */
  take(piece: Uint8Array, at: number): number {
    if (this.used === BLOCK_BYTES) {
      this.full.push(this.block);
      this.block = new Uint8Array(BLOCK_BYTES);
      this.used = 0;
    }
    const { block, isBase } = this;
    const shift = this.used - at;
    const end = Math.min(piece.length, BLOCK_BYTES - shift);
    while (at < end && isBase[piece[at]!] === 1) {
      block[at + shift] = piece[at]!;
      at += 1;
    }
    this.used = at + shift;
    return at;
  }

  /** Hands over all bases in one array and starts anew. */
  async release(): Promise<Uint8Array> {
    const last = this.block.slice(0, this.used);
    const { full, length } = this;
    this.full = [];
    this.used = 0;
    if (full.length === 0) return last;
    const breathe = breather();
    const joined = new Uint8Array(length);
    for (let i = 0; i < full.length; i++) {
      joined.set(full[i]!, i * BLOCK_BYTES);
      const pause = breathe();
      if (pause) await pause;
    }
    joined.set(last, full.length * BLOCK_BYTES);
    return joined;
  }
}
