import { InputError } from '../contract/failures.js';
import type { Tokenizer } from './tokenizer.js';

/** The 33 tokens of ESM-2 in id order (fair-esm's "ESM-1b" alphabet; `vocab.txt` on the Hugging Face hub). */
export const ESM2_VOCABULARY: readonly string[] = [
  ...['<cls>', '<pad>', '<eos>', '<unk>'],
  ...'LAGVSERTIDPKQNFYMHWCXBUZO.-',
  ...['<null_1>', '<mask>'],
];

/**
 * ESM-2's tokenizer: one token a residue, between <cls> and <eos>.
 * @param vocabulary tokens in id order.
 */
export function createProteinTokenizer(vocabulary: readonly string[] = ESM2_VOCABULARY): Tokenizer {
  const start = vocabulary.indexOf('<cls>');
  const end = vocabulary.indexOf('<eos>');
  const ids = new Map([...vocabulary.entries()].filter(([, token]) => token.length === 1).map(([id, t]) => [t, id]));
  return {
    size: vocabulary.length,
    encode(sequence) {
      const tokens = new Int32Array(sequence.length + 2);
      tokens[0] = start;
      for (let i = 0; i < sequence.length; i += 1) {
        const id = ids.get(sequence[i]!);
        if (id === undefined) {
          throw new InputError({
            what: `'${sequence[i]}' is no residue that ESM-2 knows, expected one of ${[...ids.keys()].join('')}`,
            where: `position ${i + 1}`,
            next: 'Correct the sequence',
          });
        }
        tokens[i + 1] = id;
      }
      tokens[sequence.length + 1] = end;
      return tokens;
    },
  };
}
