import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { OptionError } from '../contract/failures.js';
import { devicesCommand } from './devices.js';
import { TableCommand } from './options/table-command.js';
import { interruption } from './run.js';

/** `virnucpro utils`: what the original tool has under that name. */
export function utilsCommand(): Command {
  return new Command('utils')
    .description('devices, input check, configuration file, checkpoint check')
    .addCommand(devicesCommand('list-devices'))
    .addCommand(validateCommand())
    .addCommand(generateConfigCommand())
    .addCommand(validateCheckpointsCommand());
}

function validateCommand(): Command {
  return new TableCommand(
    'validate',
    async () => (await import('./options/utils-validate-table.js')).UTILS_VALIDATE_OPTIONS,
  )
    .description('read a FASTA file as predict does; names what is wrong, with exit code 1')
    .argument('<input>', 'FASTA file, also .gz or .zst, or - for standard input')
    .runs(async ({ maxErrors }, input) => {
      const { validateInput } = await import('./validate-input.js');
      await validateInput(input, maxErrors, interruption());
    });
}

function generateConfigCommand(): Command {
  return new Command('generate-config')
    .description('write a configuration file with every option of predict and its default')
    .option('-o, --output <file>', 'where to', 'virnucpro_config.yaml')
    .action(async ({ output }: { output: string }) => {
      const [{ configText }, { PREDICT_OPTIONS }] = await Promise.all([
        import('./options/config-file.js'),
        import('./options/predict-table.js'),
      ]);
      await writeFile(output, configText(PREDICT_OPTIONS), { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
        throw new OptionError({
          what: error.code === 'EEXIST' ? 'there is such a file already' : `cannot be written (${error.code})`,
          where: output,
          next: 'Give another name with -o',
          cause: error,
        });
      });
      console.log(output);
    });
}

function validateCheckpointsCommand(): Command {
  return new Command('validate-checkpoints')
    .description(
      'check model checkpoints, and what a run keeps in its output folder; each is ok, CORRUPTED or INCOMPATIBLE',
    )
    .argument('<paths...>', 'files or folders, searched with their subfolders')
    .option('--skip-load', 'of models look at sizes and structure only, not at all bytes')
    .addHelpText('after', '\nExit codes: 0 all are ok, 1 some are not, 3 no such path, or nothing to check in it.')
    .action(async (paths: string[], { skipLoad = false }: { skipLoad?: boolean }) => {
      const { validateCheckpoints } = await import('./validate-checkpoints.js');
      await validateCheckpoints(paths, { load: !skipLoad });
    });
}
