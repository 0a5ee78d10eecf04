#!/usr/bin/env node
import { Command } from 'commander';
import { version } from '../version.js';

const program = new Command('virnucpro')
  .description('Which short sequences (300-500 bases) of a metagenome are viral?')
  .version(version);

await program.parseAsync();
