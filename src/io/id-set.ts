const SHARDS = 256;
const LARGEST_LOAD = 0.75;

/**
 * A set of ids in 8 to 16 bytes each, however many (a `Set` of strings takes about 100 and ends at 16.7 million).
 * It keeps 64-bit hashes, so two ids of 10 million are mistaken for each other with a probability of 3 in a million.
 * Its shards grow one by one, so that no insertion takes longer than some milliseconds.
 */
export class IdSet {
  private readonly shards = Array.from({ length: SHARDS }, () => new Shard());

  /** Adds an id; false when it was there. */
  add(id: Uint8Array): boolean {
    const [high, low] = hash64(id);
    return this.shards[high % SHARDS]!.add(high, low);
  }
}

/** Open addressing over pairs of words; the pair 0, 0 marks a free slot. */
class Shard {
  private slots = new Uint32Array(2 * 16);
  private used = 0;

  add(high: number, low: number): boolean {
    if (2 * this.used > LARGEST_LOAD * this.slots.length) this.grow();
    const slot = this.find(high, low);
    if (this.slots[slot] !== 0 || this.slots[slot + 1] !== 0) return false;
    this.slots[slot] = high;
    this.slots[slot + 1] = low;
    this.used += 1;
    return true;
  }

  /** The slot that holds the pair, or the free one where it belongs. */
  private find(high: number, low: number): number {
    const { slots } = this;
    let slot = (2 * low) % slots.length;
    while ((slots[slot] !== 0 || slots[slot + 1] !== 0) && (slots[slot] !== high || slots[slot + 1] !== low)) {
      slot = (slot + 2) % slots.length;
    }
    return slot;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Uint32Array(2 * old.length);
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] !== 0 || old[i + 1] !== 0) this.slots.set(old.subarray(i, i + 2), this.find(old[i]!, old[i + 1]!));
    }
  }
}

/** Two words of hash (cyrb53's mixing, all 64 bits of it), never both 0. */
function hash64(bytes: Uint8Array): [number, number] {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < bytes.length; i++) {
    a = Math.imul(a ^ bytes[i]!, 2654435761);
    b = Math.imul(b ^ bytes[i]!, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return [b >>> 0, a >>> 0 || 1];
}
