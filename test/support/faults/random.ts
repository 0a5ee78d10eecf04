import { randomBytes } from 'node:crypto';

/** Seed of a random test: FAULT_SEED, else a new one. Whoever uses it prints it. */
export function chooseSeed(): number {
  return Number(process.env['FAULT_SEED'] ?? randomBytes(4).readUInt32LE());
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
