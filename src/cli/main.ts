#!/usr/bin/env node
import { Command } from 'commander';
import { version } from '../version.js';
import { attachCommand } from './attach.js';
import { embedCommand } from './embed.js';
import { listCommand } from './list.js';
import { modelsCommand } from './models.js';
import { addPredictOptions, predictCommand } from './predict.js';
import { reportCommand } from './report.js';
import { runCli } from './run.js';
import { serverCommand } from './server.js';
import { splitCommand } from './split.js';
import { statusCommand } from './status.js';
import { steeringCommands } from './steer.js';
import { utilsCommand } from './utils.js';
import { workerCommand } from './worker.js';

const program = new Command('virnucpro')
  .description('Which short sequences (300-500 bases) of a metagenome are viral?')
  .version(version)
  .addCommand(predictCommand())
  .addCommand(statusCommand())
  .addCommand(listCommand())
  .addCommand(attachCommand())
  .addCommand(reportCommand())
  .addCommand(splitCommand())
  .addCommand(embedCommand())
  .addCommand(modelsCommand())
  .addCommand(workerCommand())
  .addCommand(serverCommand())
  .addCommand(utilsCommand());

steeringCommands().forEach((command) => program.addCommand(command));

program.helpCommand(false).hook('preSubcommand', async (_, command) => {
  if (command.name() === 'predict') await addPredictOptions(command);
});

await runCli(program);
