import { InputError } from '../contract/failures.js';
import { AMINO_ACIDS, NUCLEOTIDES } from '../io/alphabet.js';
import { readFasta } from '../io/fasta.js';
import { inputName, readInput } from '../io/input.js';
import type { EncoderKind } from '../model/graph/encoder.js';

/**
 * All sequences of a FASTA file that a kind of encoder takes, upper-case.
 * @throws InputError as {@link readFasta}, and for a record without a sequence.
 */
export async function readSequences(input: string, kind: EncoderKind): Promise<{ ids: string[]; sequences: string[] }> {
  const alphabet = kind === 'dnabert2' ? NUCLEOTIDES : AMINO_ACIDS;
  const ids: string[] = [];
  const sequences: string[] = [];
  for await (const { id, sequence, line } of readFasta(readInput(input), inputName(input), { alphabet })) {
    if (sequence.length === 0) {
      throw new InputError({
        what: 'record without a sequence',
        where: `${inputName(input)}, line ${line}, record ${id}`,
        next: 'Take it out: there is nothing to embed',
      });
    }
    ids.push(id);
    sequences.push(Buffer.from(sequence).toString('latin1').toUpperCase());
  }
  return { ids, sequences };
}
