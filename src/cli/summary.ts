import type { CampaignResult, SampleResult } from '../contract/run.js';
import { isUri } from '../io/store-uri.js';
import { CAMPAIGN_TABLE } from '../io/campaign-table.js';
import { findReport } from '../report/find-report.js';

/** Exit code when some samples or sequences are without a result, and the others have theirs. */
const PARTIAL = 3;

/**
 * Prints a run's end on standard output and sets the exit code: 3 when some samples failed or sequences were quarantined.
 * @param quiet prints only that.
 */
export async function reportEnd(result: CampaignResult, outputDir: string, quiet = false): Promise<void> {
  const { failed, framesQuarantined } = result.counts;
  const partial = failed > 0 || framesQuarantined > 0;
  if (partial) process.exitCode = PARTIAL;
  if (quiet && !partial) return;
  printSummary(result, outputDir);
  if (isUri(outputDir))
    return void process.stdout.write('virnucpro attach FOLDER brings them into the folder of the run\n');
  const report = await findReport(outputDir);
  process.stdout.write(report === undefined ? `No report: see virnucpro report ${outputDir}\n` : `Report: ${report}\n`);
}

/** Says that a run was done before, with the exit code that it had then. */
export function reportDone(done: 'done' | 'partial', outputDir: string): void {
  if (done === 'partial') process.exitCode = PARTIAL;
  const but = done === 'partial' ? ', but for quarantined frames (quarantined.tsv)' : '';
  process.stderr.write(`This run is already done${but}; its results are in ${outputDir}\n`);
}

/** What was called, which samples failed and where the files are. */
function printSummary({ counts, samples, failed }: CampaignResult, outputDir: string): void {
  const total = counts.done + counts.failed;
  const [only] = samples;
  if (total === 1 && only !== undefined) process.stdout.write(sampleLine(only));
  else process.stdout.write(`${counts.done} of ${total} samples done, ${counts.failed} failed\n`);
  if (total > 1) for (const sample of failed) process.stdout.write(sampleLine(sample));
  if (counts.failed > failed.length) process.stdout.write(`... and ${counts.failed - failed.length} more\n`);
  if (counts.framesQuarantined > 0) {
    process.stdout.write(`${counts.framesQuarantined} frames were quarantined: see quarantined.tsv of their samples\n`);
  }
  process.stdout.write(`Results: ${total === 1 ? outputDir : `${outputDir}/${CAMPAIGN_TABLE}`}\n`);
}

function sampleLine({ sample, counts, failure }: SampleResult): string {
  if (failure !== undefined) {
    const { where, what, next } = failure;
    return `${sample}: failed: ${where === undefined ? '' : `${where}: `}${what}. ${next}\n`;
  }
  const { chunksViral, chunksCalled, contigs, chunks, framesCalled, frames } = counts!;
  return (
    `${sample}: ${chunksViral} of ${chunksCalled} called chunks look viral ` +
    `(${contigs} contigs, ${chunks} chunks, ${framesCalled} of ${frames} frames called)\n`
  );
}
