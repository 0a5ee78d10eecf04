/**
 * Lookup tables over bytes, for translation without per-base strings. A base is a class of three bits (A C G T, or
 * `OTHER` for anything else), a codon is nine bits: `first << 6 | second << 3 | third`.
 */

const BASES = 'ACGT';
const OTHER = BASES.length;

/** The standard genetic code (NCBI translation table 1), codons in the order TTT, TTC, TTA, TTG, TCT, ... GGG. */
const STANDARD_CODE = 'FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG';

/** ASCII of `*`, the translation of a stop codon. */
export const STOP = '*'.charCodeAt(0);

/** Byte -> class of the base; lower case as upper case, U and the IUPAC codes are `OTHER` (as in the original tool). */
export const BASE_CLASS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const base = BASES.indexOf(String.fromCharCode(byte).toUpperCase());
  return base === -1 ? OTHER : base;
});

/** Byte -> the same letter in upper case. */
export const UPPER = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 97 && byte <= 122 ? byte - 32 : byte));

/** Byte -> upper-case complement of ACGT; every other letter stays itself (as in the original tool). */
export const COMPLEMENT = Uint8Array.from({ length: 256 }, (_, byte) => {
  const base = BASE_CLASS[byte]!;
  return base === OTHER ? UPPER[byte]! : BASES.charCodeAt(3 - base);
});

/** Codon -> ASCII of its amino acid, {@link STOP}, or 0 when one of its letters is not ACGT. */
export const AMINO_ACIDS = new Uint8Array(512);

/** Codon -> what its reverse complement translates to, read on the forward strand. */
export const AMINO_ACIDS_OF_REVERSE = new Uint8Array(512);

/** Codon -> bits: {@link STOP_FORWARD}, {@link STOP_REVERSE}, {@link RESIDUE}. */
export const CODON_MARKS = new Uint8Array(512);
export const STOP_FORWARD = 1;
/** The codon's reverse complement is a stop. */
export const STOP_REVERSE = 2;
/** All letters are ACGT: it adds a residue, or is a stop. */
export const RESIDUE = 4;

const ORDER_OF_CODE = 'TCAG';
[...STANDARD_CODE].forEach((aminoAcid, i) => {
  const [first, second, third] = [i >> 4, (i >> 2) & 3, i & 3].map((at) => BASES.indexOf(ORDER_OF_CODE[at]!)) as [
    number,
    number,
    number,
  ];
  const codon = (first << 6) | (second << 3) | third;
  const reversed = ((3 - third) << 6) | ((3 - second) << 3) | (3 - first);
  AMINO_ACIDS[codon] = aminoAcid.charCodeAt(0);
  AMINO_ACIDS_OF_REVERSE[reversed] = aminoAcid.charCodeAt(0);
  CODON_MARKS[codon]! |= RESIDUE | (aminoAcid === '*' ? STOP_FORWARD : 0);
  CODON_MARKS[reversed]! |= aminoAcid === '*' ? STOP_REVERSE : 0;
});
