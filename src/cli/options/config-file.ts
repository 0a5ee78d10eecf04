import { readFile } from 'node:fs/promises';
import { parseDocument, stringify } from 'yaml';
import { OptionError } from '../../contract/failures.js';
import { type OptionTable, kebab } from './option-table.js';

/** All options with their help are 5 KB. On some damaged texts the parser needs time by the square of their length. */
const LARGEST_BYTES = 1 << 16;

/** No option takes a list or a mapping. YAML's parser calls itself for each level, and ends the process from 500 on. */
const MOST_NESTING = 100;
/** What may open a level: a bracket, a dash or question mark with a blank, a column of indentation. */
const OPENS_LEVEL = /[[{]|[-?]\s/g;

/**
 * Reads a configuration file: YAML, one key an option.
 * @throws OptionError when it cannot be read, is no mapping, or is larger or deeper than any configuration.
 */
export async function readConfig(file: string): Promise<{ file: string; values: Record<string, unknown> }> {
  const refuse = (what: string, cause?: unknown): OptionError =>
    new OptionError({ what, where: file, next: 'See virnucpro utils generate-config', cause });
  const source = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw refuse(`the configuration file cannot be read (${error.code})`, error);
  });
  if (source.length > LARGEST_BYTES) throw refuse(`${source.length} characters, allowed are ${LARGEST_BYTES}`);
  if (mayNest(source) > MOST_NESTING) throw refuse('nested lists or mappings, allowed is one key an option');
  const parsed = (): unknown => {
    const document = parseDocument(source);
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS({ maxAliasCount: 0 });
  };
  let values: unknown;
  try {
    values = parsed() ?? {};
  } catch (error) {
    throw refuse(`no YAML of ours: ${(error as Error).message.split('\n')[0]}`, error);
  }
  if (typeof values !== 'object' || Array.isArray(values)) throw refuse('not a mapping of keys to values');
  return { file, values: values as Record<string, unknown> };
}

/** Levels that the text can have at most, comments aside. */
function mayNest(source: string): number {
  const lines = source.split('\n').filter((line) => !/^\s*#/.test(line));
  const opened = lines.reduce((sum, line) => sum + (line.match(OPENS_LEVEL)?.length ?? 0), 0);
  const indented = lines.reduce((most, line) => Math.max(most, line.search(/\S|$/)), 0);
  return opened + indented;
}

/** A configuration file with every option of a table: those with a default set to it, the others as comments. */
export function configText(table: OptionTable): string {
  const shown = Object.entries(table).filter(([, spec]) => !spec.hidden);
  return shown
    .map(([name, spec]) => {
      const line = spec.default === undefined ? `# ${kebab(name)}:\n` : stringify({ [kebab(name)]: spec.default });
      return `# ${spec.help}\n${line}`;
    })
    .join('\n');
}
