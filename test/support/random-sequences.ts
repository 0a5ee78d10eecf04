import { createRandom } from '../../src/cli/made-up/contigs.js';

export { createRandom };

/** All that a nucleotide FASTA file may hold, as it may stand in it. */
const FASTA_LETTERS = 'ACGTUNRYKMSWBDHV-*acgtunrykmswbdhv';

/**
 * `count` sequences of 0 to `longest` bases, short ones as likely as long ones: plain, repeats of a few bases, and with
 * every letter that may occur, rarely or all over.
 */
export function* randomSequences(count: number, longest: number, seed = 1): Generator<string> {
  const random = createRandom(seed);
  const letter = (letters: string): string => letters[Math.floor(random() * letters.length)]!;
  for (let i = 0; i < count; i++) {
    const length = Math.floor((longest + 1) ** random() - 1 + random());
    const odd = [0, 0, 0.01, 1][Math.floor(4 * random())]!;
    const sequence = Array.from({ length }, () => letter(random() < odd ? FASTA_LETTERS : 'ACGT')).join('');
    const unit = sequence.slice(0, 1 + Math.floor(6 * random()));
    yield random() < 0.1 ? unit.repeat(Math.ceil(length / unit.length || 0)) : sequence;
  }
}
