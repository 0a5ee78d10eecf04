/** What `--suite` takes. */
export const SUITES = ['front-end', 'encoders', 'precision', 'predict', 'pool'] as const;

/** One of {@link SUITES}. */
export type Suite = (typeof SUITES)[number];

/** What `--data-size` takes; contigs or sequences as of the original tool's benchmark. */
export const DATA_SIZES = {
  tiny: { contigs: 10, sequences: 10, megabases: 1 },
  small: { contigs: 100, sequences: 100, megabases: 10 },
  medium: { contigs: 1_000, sequences: 1_000, megabases: 100 },
  large: { contigs: 10_000, sequences: 10_000, megabases: 1_000 },
} as const;

/** One of {@link DATA_SIZES}. */
export type DataSize = keyof typeof DATA_SIZES;

/** All of them. */
export const DATA_SIZE_NAMES = Object.keys(DATA_SIZES) as [DataSize, ...DataSize[]];

/** A figure of one suite, once for each run. */
export interface Measurement {
  suite: Suite;
  /** What was measured; with its suite it tells a figure from all others of a report. */
  name: string;
  unit: string;
  better: 'higher' | 'lower';
  runs: number[];
}

/** What a suite is given to work with. */
export interface Bench {
  size: (typeof DATA_SIZES)[DataSize];
  runs: number;
  threads: number;
  /** Paths of checkpoints. */
  models: { dna: string; protein: string; classifier: string };
  temporalCli: string | undefined;
  /** A folder of its own, removed at the end. */
  dir: string;
  signal: AbortSignal;
}

/** One suite of benchmarks. */
export type RunSuite = (bench: Bench) => Promise<Measurement[]>;

/** Calls `work` `runs` times; its figures by name become the runs of each. */
export async function repeat<Name extends string>(
  { runs, signal }: Bench,
  work: () => Promise<Record<Name, number>>,
): Promise<Record<Name, number[]>> {
  const all: Record<Name, number>[] = [];
  for (let run = 0; run < runs; run++) {
    signal.throwIfAborted();
    all.push(await work());
  }
  const names = Object.keys(all[0]!) as Name[];
  return Object.fromEntries(names.map((name) => [name, all.map((figures) => figures[name])])) as Record<Name, number[]>;
}
