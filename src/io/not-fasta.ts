import { InputError } from '../contract/failures.js';
import { NUCLEOTIDES, type Alphabet } from './alphabet.js';

/** What people feed to FASTA readers by mistake, by how it starts, and what to do with it. */
const KNOWN_STARTS: readonly { start: string; what: string; next: string }[] = [
  { start: '@HD\t', what: 'SAM', next: 'Convert it first: samtools fasta in.sam > in.fa' },
  { start: '@SQ\t', what: 'SAM', next: 'Convert it first: samtools fasta in.sam > in.fa' },
  { start: 'BAM\x01', what: 'BAM', next: 'Convert it first: samtools fasta in.bam > in.fa' },
  { start: 'CRAM', what: 'CRAM', next: 'Convert it first: samtools fasta in.cram > in.fa' },
  { start: '@', what: 'FASTQ', next: 'Convert it first: seqkit fq2fa in.fq > in.fa, or seqtk seq -a in.fq > in.fa' },
  { start: 'LOCUS', what: 'GenBank', next: 'Export it as FASTA first, for example with any2fasta' },
  { start: 'BZh', what: 'bzip2-compressed', next: 'Decompress it first: bzip2 -dc in.fa.bz2 | virnucpro split -' },
  { start: '\xfd7zXZ', what: 'xz-compressed', next: 'Decompress it first: xz -dc in.fa.xz | virnucpro split -' },
  { start: 'PK\x03\x04', what: 'a zip archive', next: 'Unpack it first' },
  { start: '\xef\xbb\xbf', what: 'text with a byte order mark', next: 'Save it as plain ASCII text' },
  { start: '\xff\xfe', what: 'UTF-16 text', next: 'Save it as plain ASCII text' },
  { start: '\xfe\xff', what: 'UTF-16 text', next: 'Save it as plain ASCII text' },
];

/** Bytes of a file's start that tell what it is. */
export const OPENING_BYTES = 8;

/** The error for a file whose first bytes (up to {@link OPENING_BYTES}, read as Latin-1) start no FASTA record. */
export function notFasta(opening: string, where: string): InputError {
  const known = KNOWN_STARTS.find(({ start }) => opening.startsWith(start));
  return new InputError({
    what: known ? `not FASTA but ${known.what}` : `not FASTA: it starts with ${JSON.stringify(opening)} instead of ">"`,
    where,
    next: known?.next ?? 'Give a FASTA file: each record starts with a line ">id"',
  });
}

/** The error for a byte in a sequence that is no letter of `alphabet`. */
export function wrongLetter(byte: number, alphabet: Alphabet, atLineStart: boolean, where: string): InputError {
  const letter = String.fromCharCode(byte);
  const printable = byte > 0x20 && byte < 0x7f;
  const shown = printable ? `letter ${letter}` : `byte 0x${byte.toString(16).padStart(2, '0')}`;
  let next = 'Correct the line, or remove the record';
  if (!printable) {
    next = 'This looks like a binary or damaged file: give FASTA, plain or packed by gzip or zstd';
  } else if (atLineStart && '@+'.includes(letter)) {
    next = 'This looks like FASTQ: convert it first, for example seqkit fq2fa in.fq > in.fa';
  } else if (alphabet === NUCLEOTIDES && 'EFILPQZJOX'.includes(letter.toUpperCase())) {
    next = 'This looks like protein: give nucleotide sequences (masked bases are written N)';
  }
  return new InputError({
    what: `${shown} is no ${alphabet.letter}; allowed are ${alphabet.letters} in either case`,
    where,
    next,
  });
}
