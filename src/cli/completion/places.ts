import type { Command, Option } from 'commander';

/** A word that may stand in some place, and what it means. */
export interface Word {
  text: string;
  help: string;
}

/** An option of a command. */
export interface OptionWords {
  /** `--model-type`, and `-m` if it has a short form. */
  flags: string[];
  help: string;
  takesValue: boolean;
  /** Its values, if only some words are; else a file's name may be meant. */
  choices: string[];
}

/** Where a command line stands behind the words of a command: what may come next. */
export interface Place {
  /** The command's words behind the program's name: empty, `predict`, `server start`. */
  path: string;
  commands: Word[];
  options: OptionWords[];
  /** What its arguments may be, if only some words. */
  choices: string[];
}

/** Every command of a program, the program itself first. */
export function completionPlaces(command: Command, path: readonly string[] = []): Place[] {
  const { commands } = command;
  return [
    {
      path: path.join(' '),
      commands: commands.map((sub) => ({ text: sub.name(), help: sub.description() })),
      options: shownOptions(command).map((option) => ({
        flags: [option.long, option.short].filter((flag) => flag !== undefined),
        help: option.description,
        takesValue: option.required || option.optional,
        choices: option.argChoices ?? [],
      })),
      choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
    },
    ...commands.flatMap((sub) => completionPlaces(sub, [...path, sub.name()])),
  ];
}

/** What the help shows, and the `--no-...` of those. */
function shownOptions(command: Command): Option[] {
  const shown = command.createHelp().visibleOptions(command);
  const negations = command.options.filter(
    (option) =>
      option.negate &&
      !shown.includes(option) &&
      shown.some((other) => other.attributeName() === option.attributeName()),
  );
  return [...shown, ...negations];
}
