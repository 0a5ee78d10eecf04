import { Command, Option } from 'commander';
import { OptionError } from '../contract/failures.js';
import { version } from '../version.js';
import { attachCommand } from './attach.js';
import { benchmarkCommand } from './benchmark.js';
import { compareCommand } from './compare.js';
import { completionCommand } from './completion.js';
import { devicesCommand } from './devices.js';
import { embedCommand } from './embed.js';
import { listCommand } from './list.js';
import { modelsCommand } from './models.js';
import { profileCommand } from './profile.js';
import { predictCommand } from './predict.js';
import { addAllTables } from './options/table-command.js';
import { strangeVariables } from './options/variables.js';
import { reportCommand } from './report.js';
import { serverCommand } from './server.js';
import { splitCommand } from './split.js';
import { statusCommand } from './status.js';
import { steeringCommands } from './steer.js';
import { utilsCommand } from './utils.js';
import { workerCommand } from './worker.js';

/** Flags of predict that the original takes in front of the command. */
const FLAGS_IN_FRONT = ['-v, --verbose', '-q, --quiet', '-l, --log-file <file>', '-c, --config <file>'];

/** The command line, without the options that tables hold: {@link runCli} adds those of the command that is called. */
export function createProgram(): Command {
  const program = new Command('virnucpro')
    .description('Which short sequences (300-500 bases) of a metagenome are viral?')
    .version(version)
    .addCommand(predictCommand())
    .addCommand(statusCommand())
    .addCommand(listCommand())
    .addCommand(attachCommand())
    .addCommand(reportCommand())
    .addCommand(compareCommand())
    .addCommand(splitCommand())
    .addCommand(embedCommand())
    .addCommand(modelsCommand())
    .addCommand(devicesCommand())
    .addCommand(profileCommand())
    .addCommand(benchmarkCommand())
    .addCommand(workerCommand())
    .addCommand(serverCommand())
    .addCommand(utilsCommand());

  steeringCommands().forEach((command) => program.addCommand(command));
  FLAGS_IN_FRONT.forEach((flags) => program.addOption(new Option(flags).hideHelp()));

  return program
    .addCommand(completionCommand(wholeProgram))
    .helpCommand(false)
    .enablePositionalOptions()
    .hook('preAction', async () => {
      for (const { name, meant } of await strangeVariables(process.env, wholeProgram)) {
        const question = meant === undefined ? '' : `; do you mean ${meant}?`;
        process.stderr.write(`note: nothing reads the variable ${name}${question}\n`);
      }
    })
    .hook('preSubcommand', (_, command) => {
      if (command.name() === 'predict') return;
      const given = program.options.find((option) => program.getOptionValue(option.attributeName()) !== undefined);
      if (given !== undefined) {
        throw new OptionError({
          what: `${given.long} in front of ${command.name()}`,
          next: 'It belongs to predict; the others have their flags behind them',
        });
      }
    });
}

/** The command line with all options of all commands, to look at. */
export async function wholeProgram(): Promise<Command> {
  const program = createProgram();
  await addAllTables(program);
  return program;
}
