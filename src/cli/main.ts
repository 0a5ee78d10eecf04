#!/usr/bin/env node
import { Command } from 'commander';
import { version } from '../version.js';
import { serverCommand } from './server.js';

const program = new Command('virnucpro')
  .description('Which short sequences (300-500 bases) of a metagenome are viral?')
  .version(version)
  .addCommand(serverCommand());

await program.parseAsync();
