import { readFile } from 'node:fs/promises';
import type { ChunkCall } from '../../src/scoring/consensus.js';
import { GOLDEN_CASES } from './golden.js';

/** The chunk calls that a golden case's highest-score table holds. */
export async function goldenChunkCalls(name: string): Promise<ChunkCall[]> {
  const text = await readFile(`${GOLDEN_CASES}/${name}/prediction_results_highestscore.csv`, 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [id, , score1, score2] = line.split('\t');
      return { id: id!, maxScore1: Math.fround(Number(score1)), maxScore2: Math.fround(Number(score2)), frames: 1 };
    });
}
