#!/usr/bin/env node
import { Command } from 'commander';
import { version } from '../version.js';
import { embedCommand } from './embed.js';
import { runCli } from './run.js';
import { splitCommand } from './split.js';

const program = new Command('virnucpro')
  .description('Which short sequences (300-500 bases) of a metagenome are viral?')
  .version(version)
  .addCommand(splitCommand())
  .addCommand(embedCommand());

await runCli(program);
