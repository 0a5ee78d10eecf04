import { readFile } from 'node:fs/promises';
import { parseDocument, stringify } from 'yaml';
import { OptionError } from '../../contract/failures.js';
import { type OptionTable, kebab } from './option-table.js';

/**
 * Reads a configuration file: YAML, one key an option.
 * @throws OptionError when it cannot be read or is no mapping.
 */
export async function readConfig(file: string): Promise<{ file: string; values: Record<string, unknown> }> {
  const refuse = (what: string, cause?: unknown): OptionError =>
    new OptionError({ what, where: file, next: 'See virnucpro utils generate-config', cause });
  const source = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw refuse(`the configuration file cannot be read (${error.code})`, error);
  });
  const document = parseDocument(source);
  const [error] = document.errors;
  if (error !== undefined) throw refuse(`no YAML: ${error.message.split('\n')[0]}`, error);
  const values = (document.toJS({ maxAliasCount: 0 }) ?? {}) as unknown;
  if (typeof values !== 'object' || Array.isArray(values)) throw refuse('not a mapping of keys to values');
  return { file, values: values as Record<string, unknown> };
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
