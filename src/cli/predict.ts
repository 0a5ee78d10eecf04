import { Command } from 'commander';

/** `virnucpro predict INPUT`: one sample through Temporal on this machine. */
export function predictCommand(): Command {
  return new Command('predict')
    .description('predict which sequences of a FASTA file are viral')
    .argument('<input>', 'FASTA file, plain or .gz, or - for standard input')
    .option('-o, --output-dir <dir>', 'where results go (default: <stem>_predictions)')
    .option('-e, --expected-length <bases>', 'window that contigs are cut into; must fit the classifier (default: 500)')
    .option('-p, --model-path <file>', 'classifier checkpoint (.pth or .safetensors)')
    .option('--dna-model <name|dir>', 'DNA encoder (default: DNABERT-S)')
    .option('--protein-model <name|dir>', 'protein encoder (default: esm2_t36_3B_UR50D)')
    .option('--lanes <n>', 'CPU lanes: processes that each hold the model of one stage (default: 1)')
    .option('-t, --threads <n>', 'CPU threads that all lanes share (default: all)')
    .option('--batch-sequences <n>', 'frames in a file batch (default: by the size of the sample, 200 to 10,000)')
    .option('--persistent-models', 'load each model once a lane (default)')
    .option('--no-persistent-models', 'load the model anew for every file batch')
    .option('-k, --keep-intermediate', "keep the original tool's FASTA files")
    .option('--keep-embeddings', 'keep the embeddings (13 KB a frame with the real models)')
    .option('--keep-warm <seconds>', 'how long a released lane keeps its model (default: 120)')
    .option('--heartbeat <seconds>', 'silence after which a lane is taken for dead (default: 15)')
    .option('-f, --force', 'replace the results of another run in the output folder')
    .option('--temporal-cli <path>', 'Temporal CLI to use (env VIRNUCPRO_TEMPORAL_CLI)')
    .addHelpText(
      'after',
      '\nExample:\n  virnucpro predict contigs.fa.gz -e 500 -p 500_model.pth --lanes 2\n\n' +
        'Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.',
    )
    .action(async (input: string, raw: unknown) => {
      // Loaded only now: --help and wrong usage answer at once.
      const { predict } = await import('./predict-run.js');
      await predict(input, raw);
    });
}
