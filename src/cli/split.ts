import { Command } from 'commander';
import { inputStem } from '../io/input.js';
import { splitToFasta } from '../io/split-fasta.js';
import { CHUNK_SIZE } from '../sequence/chunk.js';
import { makeOutputFolder } from './output-folder.js';
import { interruption } from './run.js';
import { wholeNumber } from './whole-number.js';

/** `virnucpro split`: chunks and open frames as FASTA files, with no model and no Temporal. */
export function splitCommand(): Command {
  return new Command('split')
    .description('cut contigs into chunks and translate them: the FASTA files that prediction starts from')
    .argument('<input>', 'FASTA file, also .gz or .zst, or - for standard input')
    .option('-e, --expected-length <bases>', 'length of a chunk', wholeNumber('--expected-length', CHUNK_SIZE), 500)
    .option('--rename-duplicates', 'call a record whose name came before name_2, name_3, ... instead of refusing it')
    .option('-o, --output-dir <folder>', 'where the files go', '.')
    .action(
      async (input: string, options: { expectedLength: number; outputDir: string; renameDuplicates?: boolean }) => {
        const { files, ...totals } = await splitToFasta({
          input,
          stem: inputStem(input),
          outputDir: await makeOutputFolder(options.outputDir),
          chunkSize: options.expectedLength,
          renameDuplicates: options.renameDuplicates ?? false,
          signal: interruption(),
        });
        console.log(
          `${totals.records} records, ${totals.bases} bases: ${totals.chunks} chunks, ` +
            `${totals.chunksNoOpenFrame} without an open frame, ${totals.frames} frames`,
        );
        Object.values(files).forEach((file) => console.log(file));
      },
    );
}
