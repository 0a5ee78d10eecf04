import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { glob } from 'tinyglobby';
import { InputError, OptionError } from '../contract/failures.js';
import type { SampleSpec } from '../contract/run.js';
import { CAMPAIGN_TABLE } from '../io/campaign-table.js';
import { parseCsv } from '../io/csv.js';
import { exists } from '../io/exists.js';
import { STDIN, inputStem, toInputError } from '../io/input.js';
import { REPORT } from '../report/find-report.js';
import { MULTIQC_TABLE } from '../report/multiqc-table.js';

/** Files of a folder that are taken for samples. */
const FASTA_FILE = /\.(fa|fasta|fna|fas|fsa|ffn)(\.(b?gz|zst))?$/i;

const FASTA_ENDINGS = 'Files count that end in .fa, .fasta, .fna, .fas, .fsa or .ffn, also with .gz, .bgz or .zst';

const PATTERN = /[*?[{]/;

const URI = /^[a-z][a-z0-9+.-]*:\/\//i;

/** Wrong inputs that a message names. */
const SHOWN = 10;

/** Names that a campaign needs for itself in its output folder. */
const RESERVED = new Set([CAMPAIGN_TABLE, 'embeddings', REPORT, MULTIQC_TABLE]);

/** The longest name that every file system takes, with room for what we append. */
const LONGEST_NAME_BYTES = 200;

/** An input before it has its place in the output folder. */
interface NamedInput {
  name: string;
  input: string;
  /** Where it was named: a sheet's line, an argument. */
  where: string;
}

/**
 * The samples of a campaign: files, the FASTA files of folders (sorted, not of their subfolders), what patterns match
 * (`*`, `?`, `[...]`, `{...}`, `**`; sorted), then the rows of a sheet (CSV with columns `sample` and `path`; others are ignored; paths are relative to the sheet). Files are named by
 * their stem. Results of one file go straight into the output folder, those of several into a folder each.
 * @throws InputError for what is not there or is no sheet, OptionError for names that cannot be folders or come twice;
 * both say where.
 */
export async function resolveSamples(inputs: readonly string[], sheet?: string): Promise<SampleSpec[]> {
  if (inputs.length === 0 && sheet === undefined) {
    throw new OptionError({ what: 'no input', next: 'Give FASTA files, folders, or --samples with a sheet' });
  }
  if (inputs.includes(STDIN) && (inputs.length > 1 || sheet !== undefined)) {
    throw new OptionError({ what: 'standard input (-) beside other inputs', next: 'Give it alone, or as a file' });
  }
  const named = (await allOf(inputs.map(fromArgument))).flat();
  if (sheet !== undefined) named.push(...(await fromSheet(sheet)));
  const [first] = inputs;
  const single = inputs.length === 1 && sheet === undefined && named[0]!.where === first;
  if (!single) checkNames(named);
  return named.map(({ name, input }) => ({ name, input, stem: inputStem(input), prefix: single ? '' : `${name}/` }));
}

/**
 * All of the `inputs`, or why not.
 * @param sheet that they stand in.
 * @throws InputError that names every one that is wrong, with the reason.
 */
async function allOf<T>(inputs: readonly Promise<T>[], sheet?: string): Promise<T[]> {
  const tried = await Promise.allSettled(inputs);
  const reasons = tried.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const wrong = reasons.filter((reason) => reason instanceof InputError);
  if (reasons.length > wrong.length || reasons.length === 1) throw reasons[0];
  if (wrong.length > 1) {
    const shown = wrong.slice(0, SHOWN).map(({ where, what }) => `${where} (${what})`);
    const more = wrong.length > SHOWN ? `; and ${wrong.length - SHOWN} more` : '';
    throw new InputError({
      what: `${wrong.length} of ${inputs.length} inputs cannot be used: ${shown.join('; ')}${more}`,
      ...(sheet === undefined ? {} : { where: sheet }),
      next: sheet === undefined ? 'Correct their names, or leave them out' : 'Correct these lines of the sheet',
    });
  }
  return tried.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

async function fromArgument(argument: string): Promise<NamedInput[]> {
  if (argument === STDIN) return [{ name: inputStem(STDIN), input: STDIN, where: STDIN }];
  // A file's own name may look like a pattern.
  if (PATTERN.test(argument) && !(await exists(argument))) return fromPattern(argument);
  const found = await statInput(argument, argument, argument);
  if (found.isFile()) return [{ name: inputStem(argument), input: path.resolve(argument), where: argument }];
  if (!found.isDirectory()) {
    throw new InputError({
      what: 'not a regular file, and it is read more than once',
      where: argument,
      next: 'Pipe it in: ... | virnucpro predict -',
    });
  }
  const names = (await readdir(argument)).filter((name) => FASTA_FILE.test(name)).sort(byCodePoint);
  if (names.length === 0) {
    throw new InputError({
      what: 'no FASTA file in this folder',
      where: argument,
      next: `${FASTA_ENDINGS}; subfolders do not`,
    });
  }
  return names.map((name) => ({
    name: inputStem(name),
    input: path.resolve(argument, name),
    where: path.join(argument, name),
  }));
}

/** For patterns that no shell has expanded: in quotes, in a configuration, in a job script. */
async function fromPattern(pattern: string): Promise<NamedInput[]> {
  const files = await glob(pattern, { expandDirectories: false });
  const fasta = files.filter((file) => FASTA_FILE.test(file)).sort(byCodePoint);
  if (fasta.length > 0) return (await Promise.all(fasta.map(fromArgument))).flat();
  throw new InputError({
    what: files.length === 0 ? 'no file matches this pattern' : `${files.length} files match, none of them FASTA`,
    where: pattern,
    next: `Check it with ls. ${FASTA_ENDINGS}`,
  });
}

async function fromSheet(sheet: string): Promise<NamedInput[]> {
  const text = await readFile(sheet, 'utf8').catch((error: unknown) => {
    throw toInputError(error, sheet);
  });
  const [header, ...rows] = parseCsv(text, sheet);
  const columns = header?.fields.map((field) => field.trim()) ?? [];
  const missing = ['sample', 'path'].filter((column) => !columns.includes(column));
  if (missing.length > 0) {
    throw new InputError({
      what: `the sheet has no column ${missing.join(' and no column ')}, its columns are: ${columns.join(', ') || '(none)'}`,
      where: `${sheet}, line ${header?.line ?? 1}`,
      next: 'Its first line must be: sample,path',
    });
  }
  if (rows.length === 0) {
    throw new InputError({ what: 'the sheet has no samples', where: sheet, next: 'Add a line per sample: name,path' });
  }
  return allOf(
    rows.map(async ({ line, fields }) => {
      const where = `${sheet}, line ${line}`;
      if (fields.length !== columns.length) {
        throw new InputError({
          what: `the line has ${fields.length} fields, the first line has ${columns.length}`,
          where,
          next: 'Separate fields by commas; quote a field that holds one: "a,b"',
        });
      }
      const name = fields[columns.indexOf('sample')]!.trim();
      const file = fields[columns.indexOf('path')]!.trim();
      const input = path.resolve(path.dirname(sheet), file);
      if (file === '' || !(await statInput(input, file, `${where}, ${file}`)).isFile()) {
        throw new InputError({
          what: file === '' ? 'no path' : `${file} is no regular file`,
          where,
          next: 'Name a FASTA file',
        });
      }
      return { name, input, where };
    }),
    sheet,
  );
}

/** @param written as the user wrote it. */
async function statInput(input: string, written: string, where: string): ReturnType<typeof stat> {
  if (URI.test(written)) {
    throw new InputError({
      what: 'an address; inputs are files',
      where,
      next: 'Copy it to this machine first, or on the way: aws s3 cp ADDRESS - | virnucpro predict -',
    });
  }
  return stat(input).catch((error: unknown) => {
    throw toInputError(error, where);
  });
}

/** Every name must do as a folder, and no two may be one folder on a file system that does not tell a from A. */
function checkNames(inputs: readonly NamedInput[]): void {
  const seen = new Map<string, NamedInput>();
  for (const input of inputs) {
    const { name, where } = input;
    const wrong = whatIsWrongWith(name);
    if (wrong !== undefined) {
      throw new OptionError({
        what: `the sample name ${JSON.stringify(name)} ${wrong}`,
        where,
        next: 'Every sample gets a folder of its name: give another in a sheet (--samples)',
      });
    }
    const folder = name.normalize('NFC').toLowerCase();
    const other = seen.get(folder);
    if (other !== undefined) {
      throw new OptionError({
        what: `the sample name ${JSON.stringify(name)} is taken by ${other.where}`,
        where,
        next: 'Give every sample a name of its own in a sheet (--samples)',
      });
    }
    seen.set(folder, input);
  }
}

function whatIsWrongWith(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name.startsWith('.')) return 'starts with a dot';
  if (RESERVED.has(name.toLowerCase())) return 'is kept for the campaign itself';
  if (Buffer.byteLength(name) > LONGEST_NAME_BYTES) return `is longer than ${LONGEST_NAME_BYTES} bytes`;
  if (/[/\\\u0000-\u001f\u007f]/.test(name)) return 'holds a path separator or control character';
  return undefined;
}

/** JavaScript compares UTF-16 units; UTF-8 bytes are in the order of code points. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
