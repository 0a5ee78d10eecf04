/** What a FASTA file's sequences are made of. */
export interface Alphabet {
  /** Noun for messages. */
  letter: string;
  /** Allowed letters, upper case; lower case is allowed as well. */
  letters: string;
}

/** The IUPAC codes, gaps, and `*`, which the original tool lets pass too (golden case edge-500). */
export const NUCLEOTIDES: Alphabet = { letter: 'nucleotide', letters: 'ACGTUNRYKMSWBDHV-*' };

/** The letters that ESM-2's alphabet has a token for, gaps included; it has none for a stop. */
export const AMINO_ACIDS: Alphabet = { letter: 'amino acid', letters: 'ACDEFGHIKLMNPQRSTVWYXBZUO.-' };

/** Byte -> 1 if it is a letter of the alphabet in either case, else 0. */
export function membership({ letters }: Alphabet): Uint8Array {
  const table = new Uint8Array(256);
  for (const letter of letters + letters.toLowerCase()) table[letter.charCodeAt(0)] = 1;
  return table;
}
