/** Id of a contig's `number`-th chunk, counted from 1. */
export function chunkId(contig: string, number: number): string {
  return `${contig}_chunk_${number}`;
}
