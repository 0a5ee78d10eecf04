import { Embedder, type EmbedderOptions } from '../../src/inference/embedder.js';

/** Of a call of many sequences. */
const TOKENS_TOGETHER = 4000;

/**
 * Embeds `sequences`, cut to different lengths, in calls of one and in large calls with padding, with 1 and with 2 threads.
 * @returns whether 2 threads gave the bits that 1 gave.
 * @throws Error when a sequence has other bits among others than in a call of its own.
 */
export async function threadsGiveSameBits(
  options: Omit<EmbedderOptions, 'threads' | 'tokensPerCall'>,
  sequences: readonly string[],
): Promise<boolean> {
  const cut = sequences.map((sequence, i) => sequence.slice(i));
  const vectors: Buffer[] = [];
  for (const threads of [1, 2]) {
    const embedder = await Embedder.open({ ...options, threads, tokensPerCall: 1 });
    try {
      const alone = bytesOf(await embedder.embed(cut));
      embedder.resizeCalls(TOKENS_TOGETHER);
      const together = bytesOf(await embedder.embed(cut));
      const size = alone.length / cut.length;
      const other = cut.findIndex(
        (_, i) => !alone.subarray(i * size, (i + 1) * size).equals(together.subarray(i * size, (i + 1) * size)),
      );
      if (other >= 0) {
        throw new Error(
          `${options.model}, ${options.precision}, ${threads} threads: sequence ${other} has other bits in a call of ` +
            `${TOKENS_TOGETHER} tokens than alone`,
        );
      }
      vectors.push(alone);
    } finally {
      await embedder.close();
    }
  }
  return vectors[0]!.equals(vectors[1]!);
}

function bytesOf(vectors: Float32Array): Buffer {
  return Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength);
}
