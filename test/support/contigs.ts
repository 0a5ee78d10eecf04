import { writeFile } from 'node:fs/promises';
import { countOpenFrames } from '../../src/sequence/translate.js';
import { randomNumbers } from './faults/random.js';

const STOP_CODONS = new Set(['TAA', 'TAG', 'TGA']);

/**
 * Writes a FASTA file of random contigs, each one chunk at 500 bases, that have exactly `frames` open frames together.
 * @param codons fewest and most of a contig; one with few has several open frames.
 */
export async function writeContigs(
  file: string,
  frames: number,
  codons: { from: number; to: number },
  seed = 1,
): Promise<string> {
  const random = randomNumbers(seed);
  const records: string[] = [];
  for (let left = frames; left > 0;) {
    const count = codons.from + Math.floor(random() * (codons.to - codons.from + 1));
    const contig = Array.from({ length: count }, () => openCodon(random)).join('');
    const open = countOpenFrames(Buffer.from(contig));
    if (open > left) continue;
    left -= open;
    records.push(`>contig_${records.length + 1}\n${contig}\n`);
  }
  await writeFile(file, records.join(''));
  return file;
}

function openCodon(random: () => number): string {
  for (;;) {
    const codon = Array.from({ length: 3 }, () => 'ACGT'[Math.floor(random() * 4)]).join('');
    if (!STOP_CODONS.has(codon)) return codon;
  }
}
