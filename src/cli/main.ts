#!/usr/bin/env node
import { Command } from 'commander';
import { version } from '../version.js';
import { embedCommand } from './embed.js';
import { predictCommand } from './predict.js';
import { runCli } from './run.js';
import { serverCommand } from './server.js';
import { splitCommand } from './split.js';
import { workerCommand } from './worker.js';

const program = new Command('virnucpro')
  .description('Which short sequences (300-500 bases) of a metagenome are viral?')
  .version(version)
  .addCommand(predictCommand())
  .addCommand(splitCommand())
  .addCommand(embedCommand())
  .addCommand(workerCommand())
  .addCommand(serverCommand());

await runCli(program);
