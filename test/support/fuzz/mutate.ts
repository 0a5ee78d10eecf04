/** Numbers that lengths, offsets and counts are wrong by. */
const ODD_NUMBERS = [
  0n,
  1n,
  -1n,
  0x7fn,
  0x80n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  1n << 53n,
  -(1n << 63n),
];

/** Longest input that is made. */
const LARGEST_BYTES = 1 << 20;

/**
 * A damaged copy of one of `seeds`: a few of flipped bits, odd numbers, removed, repeated and moved ranges, words of the
 * format in odd places, pieces of another seed, an early end. Ends of files are hit more often: headers and directories are there.
 * @param random numbers from 0 up to 1, excluded.
 */
export function mutate(seeds: readonly Buffer[], words: readonly string[], random: () => number): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
  const place = (bytes: Buffer): number => {
    const within = Math.min(bytes.length, pick([64, 4096, bytes.length]));
    return pick([below(within + 1), bytes.length - below(within + 1)]);
  };
  const length = (): number => pick([1, 1 + below(8), 1 + below(256), 1 + below(65_536)]);
  const insert = (bytes: Buffer, at: number, more: Buffer): Buffer =>
    Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);

  const changes: ((bytes: Buffer) => Buffer)[] = [
    (bytes) => {
      const at = place(bytes);
      if (at < bytes.length) bytes[at]! ^= 1 << below(8);
      return bytes;
    },
    (bytes) => {
      const number = Buffer.alloc(8);
      number.writeBigInt64LE(pick(ODD_NUMBERS));
      number.copy(bytes, place(bytes), 0, pick([1, 2, 4, 8]));
      return bytes;
    },
    (bytes) => {
      const at = place(bytes);
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length())]);
    },
    (bytes) => {
      const at = place(bytes);
      const range = bytes.subarray(at, at + length());
      const times = Math.min(pick([1, 2, 50, 5000]), Math.floor(LARGEST_BYTES / (range.length + 1)));
      return insert(bytes, pick([at, place(bytes)]), Buffer.concat(Array<Buffer>(times).fill(range)));
    },
    (bytes) => insert(bytes, place(bytes), Buffer.from(pick(words), 'latin1')),
    (bytes) => insert(bytes, place(bytes), Buffer.from(pick(words).repeat(pick([10, 1000, 20_000])), 'latin1')),
    (bytes) => insert(bytes, place(bytes), Buffer.from(Array.from({ length: length() }, () => below(256)))),
    (bytes) => {
      const other = pick(seeds);
      return Buffer.concat([bytes.subarray(0, place(bytes)), other.subarray(place(other))]);
    },
    (bytes) => bytes.subarray(0, place(bytes)),
  ];
  let bytes: Buffer = Buffer.from(pick(seeds));
  for (let left = 1 + Math.floor(4 * random() ** 3); left > 0; left--)
    bytes = pick(changes)(bytes).subarray(0, LARGEST_BYTES + bytes.length);
  return bytes.subarray(0, 4 * LARGEST_BYTES);
}
