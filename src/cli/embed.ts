import { TableCommand } from './options/table-command.js';

/** `virnucpro embed`: vectors of a FASTA file's sequences in this one process, without Temporal. */
export function embedCommand(): TableCommand {
  return new TableCommand('embed', async () => (await import('./options/embed-table.js')).EMBED_OPTIONS)
    .description('embed sequences: nucleotides with a DNABERT model, proteins with an ESM-2 model')
    .argument('<input>', 'FASTA file, also .gz or .zst, or - for standard input')
    .runs(async (options, input) => {
      const { embed } = await import('./embed-run.js');
      await embed(input, options);
    });
}
