/** A repeatable stream of numbers from 0 up to 1, excluded (the generator of Park and Miller). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

const STOP_CODONS = new Set(['TAA', 'TAG', 'TGA']);
const CODONS = [...'ACGT'].flatMap((a) => [...'ACGT'].flatMap((b) => [...'ACGT'].map((c) => a + b + c)));
const OPEN_CODONS = CODONS.filter((codon) => !STOP_CODONS.has(codon));

/** Codons of a gene, and bases between genes: about what bacteria have. */
const GENE_CODONS = { from: 100, to: 600 };
const GAP_BASES = 120;

/** A made-up contig: genes, which have an open frame from end to end, and random bases between them. */
export function madeUpContig(bases: number, random: () => number): string {
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)]!;
  const parts: string[] = [];
  for (let length = 0; length < bases;) {
    const codons = GENE_CODONS.from + Math.floor(random() * (GENE_CODONS.to - GENE_CODONS.from));
    const gene = Array.from({ length: codons }, () => pick(OPEN_CODONS)).join('');
    const gap = Array.from({ length: GAP_BASES }, () => pick(['A', 'C', 'G', 'T'])).join('');
    parts.push(gene, gap);
    length += gene.length + gap.length;
  }
  return parts.join('').slice(0, bases);
}

/** Lengths of contigs: as many of 1,000 as of 10,000 bases, as assemblies of metagenomes have them. */
export function contigLength(random: () => number, longest = 30_000): number {
  return Math.floor(300 * (longest / 300) ** random());
}
