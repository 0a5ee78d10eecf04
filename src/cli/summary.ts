import type { CampaignResult } from '../contract/run.js';
/** The run's end on standard output: what was called and where the files are. */
export function printSummary({ samples }: CampaignResult, outputDir: string): void {
  for (const { sample, status, counts, failure } of samples) {
    if (status === 'failed' || counts === undefined) {
      process.stdout.write(`${sample}: failed: ${failure?.what}\n`);
      continue;
    }
    process.stdout.write(
      `${sample}: ${counts.chunksViral} of ${counts.chunksCalled} called chunks look viral ` +
        `(${counts.contigs} contigs, ${counts.chunks} chunks, ${counts.framesCalled} of ${counts.frames} frames called)\n`,
    );
  }
  process.stdout.write(`Results: ${outputDir}\n`);
}
