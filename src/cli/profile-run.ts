import { OptionError, OutOfMemory } from '../contract/failures.js';
import type { EmbedderFacts } from '../inference/embedder.js';
import { segmentBytes } from '../inference/lane-memory.js';
import { writeText } from '../io/tables.js';
import { freeMemory } from '../workers/free-memory.js';
import { openEmbedder } from './open-embedder.js';
import { madeUpFrames } from './made-up/frames.js';
import type { ProfileOptions } from './options/profile-table.js';
import { type Point, recommend } from './profile/recommend.js';
import { pointTable, speedChart } from './profile/show.js';
import { callsToMeasure, Prober, type Sweep, sweep } from './profile/sweep.js';
import { readSequences } from './read-sequences.js';
import { interruption } from './run.js';

/** A made-up frame of 500 bases has about that many DNA tokens, and 168 protein tokens. */
const TOKENS_A_FRAME = 80;

/**
 * Measures a model's speed and memory by the size of its calls, prints both and recommends a size.
 * @throws OptionError for sizes that are none; ModelError, InputError, DeviceError; OutOfMemory when nothing fits; Interrupted.
 */
export async function profile(options: ProfileOptions): Promise<void> {
  const { kind, index = 0 } = options.device;
  const device = kind === 'cpu' ? kind : `${kind}:${index}`;
  const signal = interruption();
  const embedder = await openEmbedder(options);
  try {
    const { facts } = embedder;
    const prober = await Prober.create(embedder, await sequencesFor(facts, options), signal);
    const { points, stopped } = await sweep(prober, {
      budgets: budgetsOf(options, prober.longest),
      rounds: options.rounds,
      // A GPU's memory is its own, and is found by trying.
      hasMemory: async (tokens) =>
        kind !== 'cpu' || segmentBytes(facts, tokens, facts.spread.segments) < (await freeMemory()),
      ...(!options.json && { onPoint: sayPoint }),
    });
    if (points.length === 0) throw nothingFits(stopped);
    const recommended = recommend(points);
    const json = JSON.stringify(
      profileJson({ device, facts, options, points, recommended, ...(stopped && { stopped }) }),
    );
    if (options.output !== undefined) await writeText(options.output, [`${json}\n`]);
    console.log(options.json ? json : profileText(facts, points, recommended, stopped));
  } finally {
    await embedder.close();
  }
}

async function sequencesFor(
  { kind, spread }: EmbedderFacts,
  { testFile, maxBatch }: ProfileOptions,
): Promise<string[]> {
  if (testFile !== undefined) {
    const { sequences } = await readSequences(testFile, kind);
    if (sequences.length > 0) return sequences;
    throw new OptionError({ what: 'no sequence in it', where: testFile, next: 'Give a file with some, or none' });
  }
  const frames = madeUpFrames(Math.ceil((callsToMeasure(spread) * maxBatch) / TOKENS_A_FRAME));
  return frames.map(({ nucleotide, protein }) => (kind === 'dnabert2' ? nucleotide : protein));
}

/** Sizes to measure: from one sequence a call, unless asked for otherwise. */
function budgetsOf({ minBatch, maxBatch, step }: ProfileOptions, longest: number): number[] {
  const first = minBatch ?? Math.min(longest, maxBatch);
  if (first > maxBatch) {
    throw new OptionError({
      what: `--min-batch is ${first}, --max-batch ${maxBatch}`,
      next: 'Give a smallest call that is not above the largest',
    });
  }
  const budgets: number[] = [];
  for (let budget = first; budget <= maxBatch; budget = step === undefined ? 2 * budget : budget + step) {
    budgets.push(budget);
  }
  return budgets;
}

function sayPoint({ tokensPerCall, tokensPerSecond }: Point): void {
  process.stderr.write(`${tokensPerCall} tokens a call: ${Math.round(tokensPerSecond)} tokens/s\n`);
}

function profileText(facts: EmbedderFacts, points: Point[], recommended: Point, stopped: string | undefined): string {
  const flag = facts.kind === 'dnabert2' ? '--dnabert-batch-size' : '--esm-batch-size';
  const { tokensPerCall } = recommended;
  return [
    pointTable(points),
    '',
    'Tokens/s by tokens a call:',
    speedChart(points, recommended),
    '',
    ...(stopped === undefined ? [] : [`Larger calls were not measured: ${stopped}.`]),
    `Recommended: ${tokensPerCall} tokens a call (virnucpro predict ${flag} ${tokensPerCall}, ` +
      `virnucpro embed --tokens-per-call ${tokensPerCall}).`,
    'The smallest that is as fast as any, and quick to cancel. Results do not depend on it on a CPU.',
  ].join('\n');
}

interface Found extends Sweep {
  device: string;
  facts: EmbedderFacts;
  options: ProfileOptions;
  recommended: Point;
}

/** Names of the original tool's JSON, where they mean the same; sizes are tokens a call. */
function profileJson(found: Found): object {
  const { device, facts, options, points, recommended, stopped } = found;
  return {
    model: options.model,
    kind: facts.kind,
    parameters: facts.parameters,
    precision: facts.precision,
    device,
    provider: facts.provider,
    threads: options.threads,
    rounds: options.rounds,
    optimal_batch_size: recommended.tokensPerCall,
    max_batch_size: points.at(-1)!.tokensPerCall,
    stopped: stopped ?? null,
    points: points.map((point) => ({
      batch_size: point.tokensPerCall,
      tokens_per_second: point.tokensPerSecond,
      seconds_per_call: point.secondsPerCall,
      seconds_to_cancel: point.secondsToCancel,
      peak_bytes: point.peakBytes,
    })),
  };
}

function nothingFits(stopped: string | undefined): OutOfMemory {
  return new OutOfMemory({ what: stopped ?? 'nothing fits the memory', next: 'Use a smaller model or another device' });
}
