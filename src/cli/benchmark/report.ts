import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { InputError } from '../../contract/failures.js';
import { median } from '../statistics.js';
import { DATA_SIZE_NAMES, SUITES } from './measurement.js';

const reportSchema = z.object({
  tool: z.literal('virnucpro-temporal'),
  /** ISO 8601 UTC. */
  created: z.iso.datetime(),
  machine: z.object({ cpu: z.string(), cores: z.int(), memoryGB: z.number(), kernel: z.string() }),
  versions: z.record(z.string(), z.string()),
  dataSize: z.enum(DATA_SIZE_NAMES),
  threads: z.int(),
  /** By role: what tells the model from others. */
  models: z.record(z.string(), z.string()),
  /** Processes that wanted to run, when it began and when it ended: a machine that others used gives other figures. */
  load: z.tuple([z.number(), z.number()]),
  results: z.array(
    z.object({
      suite: z.enum(SUITES),
      name: z.string(),
      unit: z.string(),
      better: z.enum(['higher', 'lower']),
      /** JSON has null for NaN: a run that gave no number. */
      runs: z.array(z.nullable(z.number()).transform((run) => run ?? NaN)).min(1),
    }),
  ),
});

/** What a benchmark found: the JSON that it writes and that `--compare-to` reads. */
export type BenchmarkReport = z.infer<typeof reportSchema>;

/**
 * Reads an earlier report.
 * @throws InputError when it is none.
 */
export async function readReport(file: string): Promise<BenchmarkReport> {
  const refuse = (what: string, cause?: unknown): InputError =>
    new InputError({ what, where: file, next: 'Give a benchmark_*.json that virnucpro benchmark wrote', cause });
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw refuse(`cannot be read as JSON: ${(error as Error).message}`, error);
  }
  const { data, error } = reportSchema.safeParse(json);
  if (data === undefined) throw refuse(`no report of a benchmark: ${z.prettifyError(error).split('\n')[0]}`);
  return data;
}

/** Three significant digits: what such figures can bear. */
export function figure(value: number): string {
  return value >= 1000 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** The report for people. */
export function reportMarkdown(report: BenchmarkReport): string {
  const { created, machine, versions, dataSize, threads, models, load, results } = report;
  return [
    `# Benchmark of ${created.slice(0, 16).replace('T', ' ')} UTC`,
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, Linux ${machine.kernel}. ` +
      `Load ${load.map(figure).join(' at the start, ')} at the end. ${threads} threads. Data size ${dataSize}.`,
    '',
    Object.entries({ ...versions, ...models })
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
    '',
    markdownTable([
      ['suite', 'what', 'median', 'unit', 'runs'],
      ...results.map(({ suite, name, unit, runs }) => [
        suite,
        name,
        figure(median(runs)),
        unit,
        runs.map(figure).join(' '),
      ]),
    ]),
    '',
  ].join('\n');
}

/** The first row is the head. */
export function markdownTable([head, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head!), line(head!.map(() => '---')), ...rows.map(line)].join('\n');
}
