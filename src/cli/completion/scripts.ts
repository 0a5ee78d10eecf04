import type { Command } from 'commander';
import { bashScript } from './bash.js';
import { fishScript } from './fish.js';
import { completionPlaces } from './places.js';
import { zshScript } from './zsh.js';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

export type Shell = keyof typeof SCRIPTS;

/** The completion script of a program for a shell. */
export function completionScript(program: Command, shell: Shell): string {
  return SCRIPTS[shell](program.name(), completionPlaces(program));
}
