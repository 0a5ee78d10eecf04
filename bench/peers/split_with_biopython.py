"""Chunks and six-frame translation the way the original VirNucPro does it: Biopython records, one codon at a time.

Usage: split_with_biopython.py INPUT CHUNK_SIZE OUTPUT_PREFIX

Written anew after the original's algorithm (its units.py and prediction.py), with the same three passes: all records are
cut and written as FASTA, all chunks are read back as a list, and each is translated in six frames that are then searched
for stops.
"""

import itertools
import sys

from Bio import SeqIO

BASES = "TCAG"
CODE = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"
CODONS = dict(zip(("".join(codon) for codon in itertools.product(BASES, repeat=3)), CODE))
COMPLEMENT = str.maketrans("ACGTacgt", "TGCAtgca")


def overlaps(length, size):
    """Overlap of each chunk with the next one, 0 for the last."""
    chunks = -(-length // size)
    surplus = chunks * size - length
    lower = surplus // chunks
    more = surplus - lower * (chunks - 1)
    return ([lower + 1] * more + [lower] * (chunks - 1 - more) + [0])[:chunks]


def cut(source, target, size):
    with open(target, "w") as out:
        for record in SeqIO.parse(source, "fasta"):
            shift = 0
            for number, overlap in enumerate(overlaps(len(record.seq), size)):
                start = number * size - shift
                chunk = record[start : start + size]
                chunk.id = f"{record.id}_chunk_{number + 1}"
                chunk.description = ""
                SeqIO.write(chunk, out, "fasta")
                shift += overlap


def reverse_complement(sequence):
    return sequence.translate(COMPLEMENT)[::-1]


def translate(sequence, frame):
    return "".join(CODONS.get(sequence[i : i + 3], "") for i in range(frame, len(sequence) - 2, 3))


def open_frames(name, sequence):
    reverse = reverse_complement(sequence)
    proteins = [translate(strand, frame) for strand in (sequence, reverse) for frame in range(3)]
    for index, protein in enumerate(proteins):
        if "*" in protein or protein == "":
            continue
        frame = index % 3
        strand = sequence if index < 3 else reverse_complement(sequence)
        nucleotide = strand[frame : frame + 3 * len(protein) + 1]
        yield f"{name}{'F' if index < 3 else 'R'}{frame + 1}", nucleotide, protein


def main(source, size, prefix):
    chunked = f"{prefix}_chunked{size}.fa"
    cut(source, chunked, int(size))
    with open(f"{prefix}_identified_nucleotide.fa", "w") as dna, open(f"{prefix}_identified_protein.faa", "w") as aa:
        for record in list(SeqIO.parse(chunked, "fasta")):
            for name, nucleotide, protein in open_frames(record.id, str(record.seq).upper()):
                dna.write(f">{name}\n")
                dna.write(f"{nucleotide}\n")
                aa.write(f">{name}\n")
                aa.write(f"{protein}\n")


main(*sys.argv[1:])
