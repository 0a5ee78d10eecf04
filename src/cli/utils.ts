import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { OptionError } from '../contract/failures.js';
import { inputName, readInput } from '../io/input.js';
import { devicesCommand } from './devices.js';
import { interruption } from './run.js';

/** `virnucpro utils`: what the original tool has under that name. */
export function utilsCommand(): Command {
  return new Command('utils')
    .description('devices, input check, configuration file')
    .addCommand(devicesCommand('list-devices'))
    .addCommand(validateCommand())
    .addCommand(generateConfigCommand());
}

function validateCommand(): Command {
  return new Command('validate')
    .description('read a FASTA file as predict does; names the first problem, with exit code 1')
    .argument('<input>', 'FASTA file, plain or .gz, or - for standard input')
    .action(async (input: string) => {
      const { readFasta } = await import('../io/fasta.js');
      const lengths = { records: 0, bases: 0, shortest: Infinity, longest: 0 };
      for await (const { sequence } of readFasta(readInput(input), inputName(input), { signal: interruption() })) {
        lengths.records += 1;
        lengths.bases += sequence.length;
        lengths.shortest = Math.min(lengths.shortest, sequence.length);
        lengths.longest = Math.max(lengths.longest, sequence.length);
      }
      const { records, bases, shortest, longest } = lengths;
      const range =
        records === 0 ? '' : `; shortest ${shortest}, longest ${longest}, mean ${Math.round(bases / records)}`;
      console.log(`${inputName(input)} is good: ${records} records, ${bases} bases${range}`);
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
