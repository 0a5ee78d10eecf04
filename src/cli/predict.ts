import { Command } from 'commander';

/** `virnucpro predict INPUT...`: a campaign of one or many samples through Temporal on this machine. */
export function predictCommand(): Command {
  return new Command('predict')
    .description('predict which sequences of FASTA files are viral')
    .argument('[inputs...]', 'FASTA files, also .gz or .zst, folders of them, or - for standard input')
    .option('-c, --config <file>', 'YAML file with options by their long names')
    .addHelpText(
      'after',
      '\nAn option can also be set by the variable VIRNUCPRO_<OPTION>, or in the file that -c names.\n' +
        '\nExamples:\n  virnucpro predict contigs.fa.gz -p 500_model.pth --lanes 2\n' +
        '  virnucpro predict --samples sheet.csv -m 300 -o results\n' +
        '\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 some samples failed or frames were\nquarantined, 4 out of memory, 130 or 143 interrupted.',
    )
    .action(async (inputs: string[], own: Record<string, unknown>, command: Command) => {
      const { config, ...flags } = { ...command.parent?.opts(), ...own };
      // Loaded only now: --help and wrong usage answer at once.
      const { predict } = await import('./predict-run.js');
      await predict(inputs, flags, config as string | undefined);
    });
}

/** Gives the command its options. Apart, because their checks take longer to load than all other commands together. */
export async function addPredictOptions(command: Command): Promise<Command> {
  const [{ addOptions }, { PREDICT_OPTIONS }, { addRetiredFlags }] = await Promise.all([
    import('./options/option-table.js'),
    import('./options/predict-table.js'),
    import('./options/retired-flags.js'),
  ]);
  return addRetiredFlags(addOptions(command, PREDICT_OPTIONS));
}
