/** Bytes as a stream of pieces of one size, as slow networks and pipes deliver them. */
export async function* pieces(bytes: Uint8Array | string, size = Infinity): AsyncGenerator<Uint8Array> {
  const all = Buffer.from(bytes);
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, Math.min(at + size, all.length));
}
