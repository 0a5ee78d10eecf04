import type { Place } from './places.js';

/** Patterns of a `case` over "the command so far, a blank, the next word" that tell which words go on with a command. */
export function commandPaths(places: readonly Place[]): string {
  return places.flatMap(({ path, commands }) => commands.map(({ text }) => `'${path} ${text}'`)).join(' | ');
}

/** Patterns of a `case` over "the command, a blank, the word before" behind which a value is due, with its choices. */
export function valueFlags(places: readonly Place[]): { pattern: string; choices: string[] }[] {
  return places.flatMap(({ path, options }) =>
    options
      .filter(({ takesValue }) => takesValue)
      .map(({ flags, choices }) => ({ pattern: flags.map((flag) => `'${path} ${flag}'`).join(' | '), choices })),
  );
}
