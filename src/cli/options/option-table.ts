import { type Command, Option } from 'commander';
import { distance } from 'fastest-levenshtein';
import { OptionError } from '../../contract/failures.js';
import { type ValueType, wordsOf } from './value-types.js';

/**
 * One option of a command, at its one place. Its name, in camel case, is its key in the table; the flag, the variable
 * (`VIRNUCPRO_` and the flag in capitals) and the key of the configuration file are made of it.
 */
export interface OptionSpec<T> {
  /** One letter: `-e`. */
  short?: string;
  /** What the flag takes, for the help: `<bases>`, with its unit if it has one. None for a switch. */
  takes?: string;
  /** A switch that is on unless it is turned off: `--no-...` exists, too. */
  negatable?: boolean;
  /** Heading in the help; none in those of few options. */
  group?: string;
  help: string;
  type: ValueType<T>;
  /** In place of a value that nobody gave. */
  default?: T;
  /** The default as the help says it; `default` in words. */
  defaultText?: string;
  /** Without it the command does not start. */
  required?: true;
  /** Its variable is an option of `predict` that means something else: this one is given by its flag alone. */
  flagOnly?: true;
  /** Known from other places, e.g. the original tool: not shown in the help. */
  hidden?: boolean;
}

/** The options of a command. */
export type OptionTable = Record<string, OptionSpec<unknown>>;

/** What reading a table's options gives: a value for each that has a default or must be given, perhaps one for others. */
export type OptionValues<T extends OptionTable> = {
  [K in keyof T]: T[K] extends { type: ValueType<infer V> }
    ? T[K] extends { default: unknown } | { required: true }
      ? V
      : V | undefined
    : never;
};

/** Where options come from; what comes first wins. */
export interface OptionSources {
  /** As commander parsed them: what was given, nothing else. */
  flags: Readonly<Record<string, unknown>>;
  env: NodeJS.ProcessEnv;
  /** The command that asks, for messages: `virnucpro predict`. */
  command: string;
  /** The configuration file and what is in it. */
  config?: { file: string; values: Readonly<Record<string, unknown>> };
}

/** Adds a table's options to a command. None has a default there, so that what was given can be told. */
export function addOptions(command: Command, table: OptionTable): Command {
  for (const [name, spec] of Object.entries(table)) {
    const flag = `--${kebab(name)}`;
    const flags = [...(spec.short === undefined ? [] : [spec.short]), flag].join(', ');
    const option = new Option(spec.takes === undefined ? flags : `${flags} ${spec.takes}`, helpOf(spec));
    if (spec.group !== undefined) option.helpGroup(spec.group);
    const words = wordsOf(spec.type);
    // For the help and completion; the check is readOptions', also for what does not come from the command line.
    if (words !== undefined) option.argChoices = words;
    command.addOption(spec.hidden ? option.hideHelp() : option);
    if (spec.negatable) command.addOption(new Option(`--no-${kebab(name)}`).hideHelp());
  }
  return command;
}

function helpOf(spec: OptionSpec<unknown>): string {
  if (spec.required) return `${spec.help} (required)`;
  const shown = spec.defaultText ?? (spec.default === undefined || spec.default === false ? '' : String(spec.default));
  const help = spec.flagOnly ? `${spec.help} (no variable)` : spec.help;
  return shown === '' ? help : `${help} (default: ${shown})`;
}

/**
 * The value of every option: from its flag, else its variable, else the configuration file, else its default.
 * @throws OptionError naming the option, where it was set, its value and what is allowed; or one that is needed.
 */
export function readOptions<T extends OptionTable>(
  table: T,
  { flags, env, config, command }: OptionSources,
): OptionValues<T> {
  if (config !== undefined) checkKeys(table, config);
  const values = Object.entries(table).map(([name, spec]) => {
    const variable = variableOf(name);
    const [value, where] =
      flags[name] !== undefined
        ? [flags[name], undefined]
        : env[variable] !== undefined && !spec.flagOnly
          ? [env[variable], variable]
          : [config?.values[kebab(name)] ?? undefined, config?.file];
    if (value === undefined && spec.required)
      throw wrong(`--${kebab(name)} ${spec.takes} is needed: ${spec.help}`, command);
    if (value === undefined) return [name, spec.default];
    const parsed = spec.type.safeParse(value);
    if (parsed.success) return [name, parsed.data];
    throw wrong(`--${kebab(name)} is ${JSON.stringify(value)}, ${parsed.error.issues[0]!.message}`, command, where);
  });
  return Object.fromEntries(values) as OptionValues<T>;
}

/**
 * The value of an argument.
 * @param name as the command's help says it: `<lanes>`.
 * @throws OptionError naming it, its value and what is allowed.
 */
export function readArgument<T>(name: string, type: ValueType<T>, value: string, command: string): T {
  const parsed = type.safeParse(value);
  if (parsed.success) return parsed.data;
  throw wrong(`${name} is ${JSON.stringify(value)}, ${parsed.error.issues[0]!.message}`, command);
}

function wrong(what: string, command: string, where?: string): OptionError {
  return new OptionError({ what, ...(where === undefined ? {} : { where }), next: `See ${command} --help` });
}

/** `expectedLength` as flags and configuration keys have it: `expected-length`. */
export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The environment variable of an option: `VIRNUCPRO_EXPECTED_LENGTH`. */
export function variableOf(name: string): string {
  return `VIRNUCPRO_${kebab(name).replaceAll('-', '_').toUpperCase()}`;
}

function checkKeys(table: OptionTable, { file, values }: NonNullable<OptionSources['config']>): void {
  const known = Object.keys(table).map(kebab);
  for (const key of Object.keys(values)) {
    if (known.includes(key)) continue;
    const nearest = known.reduce((best, name) => (distance(key, name) < distance(key, best) ? name : best));
    throw new OptionError({
      what: `the configuration has no key "${key}"; the nearest is "${nearest}"`,
      where: file,
      next: 'See virnucpro utils generate-config for all keys',
    });
  }
}
