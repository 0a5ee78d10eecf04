/** Letters that a FASTA file's sequences may have, in either case. */
export interface Alphabet {
  /** What one letter is called. */
  letter: string;
  /** Upper-case letters and signs. */
  letters: string;
  /** Upper-case letters that say it is a file of the other alphabet, and what to do then. */
  mistaken: { letters: string; next: string };
}

/** The IUPAC codes, gaps, and `*`, which the original tool lets pass too. */
export const NUCLEOTIDES: Alphabet = {
  letter: 'nucleotide',
  letters: 'ACGTUNRYKMSWBDHV-*',
  mistaken: {
    letters: 'EFILPQZJOX',
    next: 'This looks like protein: give nucleotide sequences (masked bases are written N)',
  },
};

/** The letters that ESM-2 has tokens for. */
export const RESIDUES: Alphabet = {
  letter: 'residue',
  letters: 'LAGVSERTIDPKQNFYMHWCXBUZO.-',
  mistaken: { letters: '*', next: 'Take stop signs (*) out: a protein ends before them' },
};
