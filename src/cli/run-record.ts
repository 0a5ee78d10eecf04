import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { OptionError, StorageError } from '../contract/failures.js';
import { writeAtomically } from '../io/local-store.js';

const requestSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

const recordSchema = z.strictObject({
  workflowId: z.string(),
  /** Where the run writes: a copy of the folder is another place. */
  outputDir: z.string(),
  request: requestSchema,
  samples: z.array(z.strictObject({ name: z.string(), input: z.string(), sha256: z.string() })),
  state: z.enum(['running', 'done', 'partial']),
  /** The object store that it writes to; none: the folder itself. */
  store: z.string().optional(),
  /** The Temporal service that it is on; none: the embedded server of the machine that started it. */
  service: z.strictObject({ address: z.string(), namespace: z.string() }).optional(),
});

/** What a run was asked for, beside its samples: when any of it differs, it is another run. Shown to people. */
export type RunRequest = z.infer<typeof requestSchema>;

/** `<out>/.virnucpro/run.json`: which run's results the folder holds. `done`: every sample is; `partial`: so, but for
 * quarantined frames. */
export type RunRecord = z.infer<typeof recordSchema>;

/** In place of the digest of a model that is not on the submitting machine, before its name. */
export const NOT_HERE = 'not here: ';

/** Changed samples that a message names one by one. */
const SHOWN = 3;

/**
 * Reads the record of the run whose results `outputDir` holds, if any.
 * @throws OptionError when it is damaged or of another version.
 */
export async function readRunRecord(outputDir: string): Promise<RunRecord | undefined> {
  const file = recordFile(outputDir);
  try {
    return recordSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new OptionError({
      what: `the run record cannot be read: ${error instanceof z.ZodError ? z.prettifyError(error) : String(error)}`,
      where: file,
      next: 'Use another output folder (-o), or --force to start over here',
      cause: error,
    });
  }
}

/** Writes the record, atomically. */
export async function writeRunRecord(outputDir: string, record: RunRecord): Promise<void> {
  const text = JSON.stringify(record, undefined, 2) + '\n';
  const target = recordFile(outputDir);
  await writeAtomically(target, (file) => writeFile(file, text)).catch((error: unknown) => {
    if (!(error instanceof StorageError)) throw error;
    // No run waits for room here.
    const next = 'Make room or choose another folder (-o), then give the command again';
    throw new StorageError({ what: error.what, where: target, next, cause: error });
  });
}

/** In words, everything in which `asked` is not the recorded run, with both values; empty for the same run. */
export function differences(record: RunRecord, asked: Pick<RunRecord, 'request' | 'samples'>): string[] {
  const names = new Set([...Object.keys(record.request), ...Object.keys(asked.request)]);
  const options = [...names]
    .filter((name) => differ(record.request[name], asked.request[name]))
    .map((name) => `${name} was ${valueText(record.request[name])} and is ${valueText(asked.request[name])}`);
  const samples = sampleDifferences(record.samples, asked.samples);
  const more = samples.length > SHOWN ? [`${samples.length - SHOWN} more samples differ`] : [];
  return [...options, ...samples.slice(0, SHOWN), ...more];
}

/** A model that one of two machines lacks may well be the same: the run itself finds out. */
function differ(was: RunRequest[string] | undefined, is: RunRequest[string] | undefined): boolean {
  const isHere = (value: typeof was): boolean => !String(value).startsWith(NOT_HERE);
  return was !== is && isHere(was) === isHere(is);
}

function valueText(value: RunRequest[string] | undefined): string {
  return value === undefined ? 'not given' : String(value);
}

function sampleDifferences(before: RunRecord['samples'], now: RunRecord['samples']): string[] {
  const known = new Map(before.map((sample) => [sample.name, sample]));
  const asked = new Set(now.map(({ name }) => name));
  const gone = before.filter(({ name }) => !asked.has(name));
  return [
    ...now.flatMap((sample) => {
      const old = known.get(sample.name);
      if (old === undefined) return [`sample ${sample.name} is new (${sample.input})`];
      if (old.sha256 !== sample.sha256) {
        return [`${sample.input} (sample ${sample.name}) had sha256 ${old.sha256} and has ${sample.sha256}`];
      }
      return old.input === sample.input ? [] : [`sample ${sample.name} was ${old.input} and is ${sample.input}`];
    }),
    ...gone.map(({ name, input }) => `sample ${name} is gone (${input})`),
  ];
}

function recordFile(outputDir: string): string {
  return path.join(outputDir, '.virnucpro', 'run.json');
}
