const STRIPE_BYTES = 32;
const MASK = (1n << 64n) - 1n;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

/**
 * XXH64 with seed 0 over a stream: the checksum of Zstandard frames. Source: the xxHash specification 0.1.1. Whole stripes
 * are worked off in 32-bit halves, since BigInt takes ten times as long; the end, which comes once, in BigInt.
 */
export class Xxh64 {
  /** Four accumulators, each as its low and high half. */
  private readonly lanes = Int32Array.from(
    [P1 + P2, P2, 0n, -P1].flatMap((start) => [
      Number(BigInt.asIntN(32, start)),
      Number(BigInt.asIntN(32, start >> 32n)),
    ]),
  );
  private readonly rest = new Uint8Array(STRIPE_BYTES);
  private total = 0;

  update(bytes: Uint8Array): void {
    const waiting = this.total % STRIPE_BYTES;
    this.total += bytes.length;
    let from = 0;
    if (waiting > 0) {
      from = Math.min(STRIPE_BYTES - waiting, bytes.length);
      this.rest.set(bytes.subarray(0, from), waiting);
      if (waiting + from < STRIPE_BYTES) return;
      this.stripes(this.rest);
    }
    const whole = bytes.length - ((bytes.length - from) % STRIPE_BYTES);
    this.stripes(bytes.subarray(from, whole));
    this.rest.set(bytes.subarray(whole));
  }

  /** The hash of all bytes so far. */
  digest(): bigint {
    const lanes = new BigUint64Array(this.lanes.buffer);
    let hash = P5;
    if (this.total >= STRIPE_BYTES) {
      hash = lanes.reduce((sum, lane, i) => sum + rotated(lane, [1n, 7n, 12n, 18n][i]!), 0n) & MASK;
      for (const lane of lanes) hash = ((hash ^ mixed(lane)) * P1 + P4) & MASK;
    }
    hash = (hash + BigInt(this.total)) & MASK;
    const rest = Buffer.from(this.rest.subarray(0, this.total % STRIPE_BYTES));
    let at = 0;
    for (; at + 8 <= rest.length; at += 8) {
      hash = (rotated(hash ^ mixed(rest.readBigUInt64LE(at)), 27n) * P1 + P4) & MASK;
    }
    if (at + 4 <= rest.length) {
      hash = (rotated(hash ^ ((BigInt(rest.readUInt32LE(at)) * P1) & MASK), 23n) * P2 + P3) & MASK;
      at += 4;
    }
    for (; at < rest.length; at += 1) {
      hash = (rotated(hash ^ ((BigInt(rest[at]!) * P5) & MASK), 11n) * P1) & MASK;
    }
    hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
    hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
    return hash ^ (hash >> 32n);
  }

  /** The hot loop: `lane = rotate(lane + word * P2, 31) * P1` for each 8-byte word of each stripe. */
  private stripes(bytes: Uint8Array): void {
    const { lanes } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += 8) {
      const lane = (at & 24) >> 2;
      const low = view.getInt32(at, true);
      const high = view.getInt32(at + 4, true);
      const addLow = Math.imul(low, 0x27d4eb4f);
      const addHigh = highProduct(low, 0xeb4f, 0x27d4) + Math.imul(low, 0xc2b2ae3d) + Math.imul(high, 0x27d4eb4f);
      const sumLow = (lanes[lane]! + addLow) | 0;
      const carry = sumLow >>> 0 < addLow >>> 0 ? 1 : 0;
      const sumHigh = (lanes[lane + 1]! + addHigh + carry) | 0;
      const turnedLow = (sumLow << 31) | (sumHigh >>> 1);
      const turnedHigh = (sumHigh << 31) | (sumLow >>> 1);
      lanes[lane] = Math.imul(turnedLow, 0x85ebca87);
      lanes[lane + 1] =
        highProduct(turnedLow, 0xca87, 0x85eb) + Math.imul(turnedLow, 0x9e3779b1) + Math.imul(turnedHigh, 0x85ebca87);
    }
  }
}

/** The high 32 bits of a 32-bit number times another, which comes as its two halves. */
function highProduct(a: number, low: number, high: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const middle = aHigh * low + (Math.imul(aLow, low) >>> 16);
  return (Math.imul(aHigh, high) + (middle >>> 16) + ((aLow * high + (middle & 0xffff)) >>> 16)) | 0;
}

function mixed(word: bigint): bigint {
  return (rotated((word * P2) & MASK, 31n) * P1) & MASK;
}

function rotated(word: bigint, bits: bigint): bigint {
  return ((word << bits) | (word >> (64n - bits))) & MASK;
}
