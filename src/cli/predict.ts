import type { Command } from 'commander';
import { addRetiredFlags } from './options/retired-flags.js';
import { TableCommand } from './options/table-command.js';

/** `virnucpro predict INPUT...`: a campaign of one or many samples through Temporal on this machine. */
export function predictCommand(): TableCommand {
  const command = new TableCommand('predict', async () => (await import('./options/predict-table.js')).PREDICT_OPTIONS);
  addRetiredFlags(command)
    .description('predict which sequences of FASTA files are viral')
    .argument(
      '[inputs...]',
      'FASTA files, also .gz or .zst, folders of them, patterns ("*.fa"), or - for standard input',
    )
    .option('-c, --config <file>', 'YAML file with options by their long names')
    .addHelpText(
      'after',
      '\nAn option can also be set by the variable VIRNUCPRO_<OPTION>, or in the file that -c names.\n' +
        '\nExamples:\n  virnucpro predict contigs.fa.gz -p 500_model.pth --lanes 2\n' +
        '  virnucpro predict --samples sheet.csv -m 300 -o results\n' +
        '\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 some samples failed or frames were\nquarantined, 4 out of memory, 130 or 143 interrupted.',
    )
    // Not by runs(): some of its flags may stand in front of it, and some options come from a file.
    .action(async (inputs: string[], own: Record<string, unknown>, called: Command) => {
      const { config, ...flags } = { ...called.parent?.opts(), ...own };
      // Loaded only now: --help and wrong usage answer at once.
      const { predict } = await import('./predict-run.js');
      await predict(inputs, flags, config as string | undefined);
    });
  return command;
}
