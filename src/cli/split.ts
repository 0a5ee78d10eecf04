import { inputStem } from '../io/input.js';
import { splitToFasta } from '../io/split-fasta.js';
import { TableCommand } from './options/table-command.js';
import { makeOutputFolder } from './output-folder.js';
import { interruption } from './run.js';

/** `virnucpro split`: chunks and open frames as FASTA files, with no model and no Temporal. */
export function splitCommand(): TableCommand {
  return new TableCommand('split', async () => (await import('./options/split-table.js')).SPLIT_OPTIONS)
    .description('cut contigs into chunks and translate them: the FASTA files that prediction starts from')
    .argument('<input>', 'FASTA file, also .gz or .zst, or - for standard input')
    .runs(async ({ expectedLength, outputDir, renameDuplicates }, input) => {
      const { files, ...totals } = await splitToFasta({
        input,
        stem: inputStem(input),
        outputDir: await makeOutputFolder(outputDir),
        chunkSize: expectedLength,
        renameDuplicates,
        signal: interruption(),
      });
      console.log(
        `${totals.records} records, ${totals.bases} bases: ${totals.chunks} chunks, ` +
          `${totals.chunksNoOpenFrame} without an open frame, ${totals.frames} frames`,
      );
      Object.values(files).forEach((file) => console.log(file));
    });
}
