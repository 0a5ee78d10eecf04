import { Command } from 'commander';
import { version } from '../version.js';
import { attachCommand } from './attach.js';
import { benchmarkCommand } from './benchmark.js';
import { compareCommand } from './compare.js';
import { completionCommand } from './completion.js';
import { embedCommand } from './embed.js';
import { listCommand } from './list.js';
import { modelsCommand } from './models.js';
import { profileCommand } from './profile.js';
import { addPredictOptions, predictCommand } from './predict.js';
import { reportCommand } from './report.js';
import { serverCommand } from './server.js';
import { splitCommand } from './split.js';
import { statusCommand } from './status.js';
import { steeringCommands } from './steer.js';
import { utilsCommand } from './utils.js';
import { workerCommand } from './worker.js';

/** The command line. `predict` gets its options when it is called. */
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
    .addCommand(profileCommand())
    .addCommand(benchmarkCommand())
    .addCommand(workerCommand())
    .addCommand(serverCommand())
    .addCommand(utilsCommand());

  steeringCommands().forEach((command) => program.addCommand(command));

  return program
    .addCommand(completionCommand(wholeProgram))
    .helpCommand(false)
    .hook('preSubcommand', async (_, command) => {
      if (command.name() === 'predict') await addPredictOptions(command);
    });
}

/** The command line with all options of all commands, to look at. */
export async function wholeProgram(): Promise<Command> {
  const program = createProgram();
  await addPredictOptions(program.commands.find((command) => command.name() === 'predict')!);
  return program;
}
