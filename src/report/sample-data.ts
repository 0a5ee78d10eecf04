import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { InputError } from '../contract/failures.js';
import { PROVENANCE, type Provenance, provenanceSchema } from '../io/provenance.js';
import { readLines, readTable, unquoted } from '../io/read-table.js';
import { TIERS } from '../scoring/contig-call.js';
import { chunkSpan } from '../sequence/chunk.js';
import { contigOfChunk, numberOfChunk } from '../sequence/ids.js';
import type { Bin, Tone, TrackMark } from './charts.js';
import { Top } from './top.js';

/** What a report shows of many, so that it stays light: the rest is counted. */
export const SHOWN = {
  contigs: 50,
  tracks: 5,
  mixedTracks: 3,
  marksOfTrack: 300,
  regions: 25,
  notCalled: 10,
  quarantined: 20,
  lanesOfStage: 24,
} as const;

const BINS = 40;

/** A tier's place from the surest; -1 of none. */
export function tierRank(tier: string): number {
  return TIERS.findIndex((name) => name === tier);
}

/** A contig as contigs.tsv has it. */
export interface ContigView {
  id: string;
  length: number;
  call: string;
  tier: string;
  weightedDelta: number;
  chunksCalled: number;
  chunksViral: number;
  regions: number;
  regionBases: number;
}

export interface RegionView {
  contig: string;
  start: number;
  end: number;
  /** Mean P(virus), 0 to 1. */
  score: number;
}

/** A contig with its scores along it. */
export interface TrackView {
  contig: ContigView;
  marks: TrackMark[];
  /** Chunks that one mark stands for. */
  chunksOfMark: number;
  regions: RegionView[];
}

/** Everything a sample's report shows, read from its folder. Memory does not grow with the sample. */
export interface SampleData {
  provenance: Provenance;
  stem: string;
  /** Contigs by call and tier. */
  verdicts: Map<string, { contigs: number; bases: number }>;
  topContigs: readonly ContigView[];
  contigs: number;
  contigsCalled: number;
  tracks: TrackView[];
  /** Chunks by highest P(virus), contigs by weighted delta. */
  chunkScores: Bin[];
  contigScores: Bin[];
  regions: { total: number; bases: number; top: readonly RegionView[] };
  chunks: { viral: number; other: number; noOpenFrame: number; quarantined: number };
  /** Contigs that were not called, by reason. */
  reasons: Map<string, { contigs: number; bases: number }>;
  notCalled: readonly { id: string; length: number; reason: string }[];
  quarantined: { byReason: Map<string, number>; first: { id: string; stage: string; reason: string }[] };
}

/**
 * Reads what a sample's folder holds.
 * @throws InputError when it is no folder of results, or one of an older version.
 */
export async function readSample(folder: string): Promise<SampleData> {
  const at = (name: string): string => path.join(folder, name);
  const provenance = await readProvenance(at(PROVENANCE));
  const scores = provenance.files.map((file) => file.path).find((file) => file.endsWith('_highestscore.csv')) ?? '';
  const merged = path.basename(path.dirname(scores));
  const chunkSize = Number(provenance.options['expected-length']);

  const { contigScores, ...contigs } = await readContigs(at('contigs.tsv'));
  const drawn = [...contigs.top.items.slice(0, SHOWN.tracks), ...contigs.mixed.items];
  const tracked = new Map(drawn.map((contig) => [contig.id, new Track(contig, chunkSize)]));
  const chunkScores = await readScores(at(path.join(merged, path.basename(scores))), tracked, chunkSize);
  const regions = await readRegions(at('viral_regions.bed'), tracked);
  const accounted = await readAccounting(at('accounting.tsv'));
  const { viral, called } = chunkScores;
  return {
    provenance,
    stem: merged.replace(/_merged$/, ''),
    verdicts: contigs.verdicts,
    topContigs: contigs.top.items,
    contigs: contigs.total,
    contigsCalled: contigs.top.total,
    tracks: [...tracked.values()].map((track) => track.view()),
    chunkScores: chunkScores.bins,
    contigScores,
    regions,
    chunks: {
      viral,
      other: called - viral,
      noOpenFrame: accounted.noOpenFrame,
      quarantined: accounted.chunks - called - accounted.noOpenFrame,
    },
    reasons: accounted.reasons,
    notCalled: accounted.top.items,
    quarantined: await readQuarantined(at('quarantined.tsv')),
  };
}

async function readProvenance(file: string): Promise<Provenance> {
  const notOurs = (what: string, cause: unknown): InputError =>
    new InputError({
      what,
      where: file,
      next: 'Name a folder that virnucpro predict wrote, or run predict again',
      cause,
    });
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw notOurs('no results of a sample here', error);
  });
  try {
    return provenanceSchema.parse(JSON.parse(text));
  } catch (error) {
    throw notOurs(
      `not a provenance record of this version: ${error instanceof z.ZodError ? z.prettifyError(error) : String(error)}`,
      error,
    );
  }
}

const CALL_TONES: Readonly<Record<string, Tone>> = { Viral: 'virus', 'Non-viral': 'other', Ambiguous: 'unsure' };

async function readContigs(file: string): Promise<{
  verdicts: SampleData['verdicts'];
  top: Top<ContigView>;
  /** Not viral as a whole, with viral regions: prophages, or mistakes. */
  mixed: Top<ContigView>;
  total: number;
  contigScores: Bin[];
}> {
  const verdicts: SampleData['verdicts'] = new Map();
  const top = new Top(SHOWN.contigs, byInterest);
  const mixed = new Top<ContigView>(SHOWN.mixedTracks, (a, b) => b.regionBases - a.regionBases);
  const scores = new Histogram(-1, 1);
  let total = 0;
  const columns = ['ID', 'length', 'call', 'tier', 'weighted_delta', 'n_chunks', 'n_viral', 'n_viral_regions'];
  for await (const row of readTable(file, [...columns, 'viral_region_bases'])) {
    total += 1;
    const contig: ContigView = {
      id: row['ID']!,
      length: Number(row['length']),
      call: row['call']!,
      tier: row['tier']!,
      weightedDelta: row['weighted_delta'] === '' ? NaN : Number(row['weighted_delta']),
      chunksCalled: Number(row['n_chunks']),
      chunksViral: Number(row['n_viral']),
      regions: Number(row['n_viral_regions']),
      regionBases: Number(row['viral_region_bases']),
    };
    add(verdicts, [contig.call, contig.tier].filter((word) => word !== '').join(' '), contig.length);
    if (contig.chunksCalled === 0) continue;
    top.add(contig);
    if (contig.call !== 'Viral' && contig.regions > 0) mixed.add(contig);
    scores.add(contig.weightedDelta, CALL_TONES[contig.call] ?? 'none');
  }
  return { verdicts, top, mixed, total, contigScores: scores.bins() };
}

/** Viral contigs by tier, then those with a viral region, then the rest by score; the longest first among equals. */
function byInterest(a: ContigView, b: ContigView): number {
  const rank = ({ call, tier, regions }: ContigView): number =>
    call === 'Viral' ? tierRank(tier) : regions > 0 ? TIERS.length : TIERS.length + 1;
  return rank(a) - rank(b) || b.regionBases - a.regionBases || b.weightedDelta - a.weightedDelta || b.length - a.length;
}

async function readScores(
  file: string,
  tracked: ReadonlyMap<string, Track>,
  chunkSize: number,
): Promise<{ bins: Bin[]; called: number; viral: number }> {
  const scores = new Histogram(0, 1);
  let called = 0;
  let viral = 0;
  for await (const row of readTable(file, ['Modified_ID', 'Is_Virus', 'max_score_0', 'max_score_1'])) {
    const id = unquoted(row['Modified_ID']!);
    const isVirus = row['Is_Virus'] === 'True';
    const [pOther, pVirus] = [Number(row['max_score_0']), Number(row['max_score_1'])];
    called += 1;
    if (isVirus) viral += 1;
    scores.add(pVirus, isVirus ? 'virus' : 'other');
    const track = tracked.get(contigOfChunk(id));
    if (track === undefined) continue;
    const span = chunkSpan(track.contig.length, chunkSize, numberOfChunk(id));
    track.add(span.start, span.end, pVirus, pOther);
  }
  return { bins: scores.bins(), called, viral };
}

async function readRegions(file: string, tracked: ReadonlyMap<string, Track>): Promise<SampleData['regions']> {
  const top = new Top<RegionView>(SHOWN.regions, (a, b) => b.end - b.start - (a.end - a.start));
  let bases = 0;
  for await (const [contig, start, end, , score] of readLines(file)) {
    const region = { contig: contig!, start: Number(start), end: Number(end), score: Number(score) / 1000 };
    bases += region.end - region.start;
    top.add(region);
    tracked.get(region.contig)?.regions.push(region);
  }
  return { total: top.total, bases, top: top.items };
}

async function readAccounting(file: string): Promise<{
  chunks: number;
  noOpenFrame: number;
  reasons: SampleData['reasons'];
  top: Top<SampleData['notCalled'][number]>;
}> {
  const reasons: SampleData['reasons'] = new Map();
  const top = new Top<SampleData['notCalled'][number]>(SHOWN.notCalled, (a, b) => b.length - a.length);
  let chunks = 0;
  let noOpenFrame = 0;
  for await (const row of readTable(file, ['contig', 'length', 'status', 'reason', 'chunks', 'chunks_no_open_frame'])) {
    chunks += Number(row['chunks']);
    noOpenFrame += Number(row['chunks_no_open_frame']);
    if (row['status'] === 'called') continue;
    const contig = { id: row['contig']!, length: Number(row['length']), reason: row['reason']! };
    add(reasons, contig.reason, contig.length);
    top.add(contig);
  }
  return { chunks, noOpenFrame, reasons, top };
}

async function readQuarantined(file: string): Promise<SampleData['quarantined']> {
  const byReason = new Map<string, number>();
  const first: SampleData['quarantined']['first'] = [];
  for await (const row of readTable(file, ['Sequence_ID', 'stage', 'reason'])) {
    const frame = { id: row['Sequence_ID']!, stage: row['stage']!, reason: row['reason']! };
    const key = `${frame.stage}: ${frame.reason}`;
    byReason.set(key, (byReason.get(key) ?? 0) + 1);
    if (first.length < SHOWN.quarantined) first.push(frame);
  }
  return { byReason, first };
}

function add(counts: Map<string, { contigs: number; bases: number }>, key: string, bases: number): void {
  const count = counts.get(key) ?? { contigs: 0, bases: 0 };
  counts.set(key, { contigs: count.contigs + 1, bases: count.bases + bases });
}

/** Counts in equal bins, by tone. */
class Histogram {
  private readonly counts = new Map<Tone, Uint32Array>();

  constructor(
    private readonly from: number,
    private readonly to: number,
  ) {}

  add(value: number, tone: Tone): void {
    let counts = this.counts.get(tone);
    if (counts === undefined) this.counts.set(tone, (counts = new Uint32Array(BINS)));
    const bin = Math.floor(((value - this.from) / (this.to - this.from)) * BINS);
    counts[Math.max(0, Math.min(BINS - 1, bin))]! += 1;
  }

  bins(): Bin[] {
    const edge = (i: number): number => this.from + ((this.to - this.from) * i) / BINS;
    return [...this.counts].flatMap(([tone, counts]) =>
      Array.from(counts, (count, i): Bin => ({ from: edge(i), to: edge(i + 1), count, tone })),
    );
  }
}

/** Gathers a contig's chunks; those of a long one in equal windows. */
class Track {
  readonly regions: RegionView[] = [];
  private readonly windows: { start: number; end: number; pVirus: number; pOther: number; chunks: number }[] = [];
  private readonly chunksOfMark: number;
  private readonly basesOfMark: number;

  constructor(
    readonly contig: ContigView,
    chunkSize: number,
  ) {
    const chunks = Math.ceil(contig.length / chunkSize);
    this.chunksOfMark = Math.ceil(chunks / SHOWN.marksOfTrack);
    this.basesOfMark = (contig.length / chunks) * this.chunksOfMark;
  }

  add(start: number, end: number, pVirus: number, pOther: number): void {
    const at = Math.floor(start / this.basesOfMark);
    const window = this.windows[at];
    if (window === undefined) {
      this.windows[at] = { start, end, pVirus, pOther, chunks: 1 };
      return;
    }
    window.start = Math.min(window.start, start);
    window.end = Math.max(window.end, end);
    window.pVirus += pVirus;
    window.pOther += pOther;
    window.chunks += 1;
  }

  view(): TrackView {
    const marks = this.windows
      .filter((window) => window !== undefined)
      .map(({ start, end, pVirus, pOther, chunks }): TrackMark => {
        const isVirus = pVirus >= pOther;
        return { start, end, score: (isVirus ? pVirus : pOther) / chunks, tone: isVirus ? 'virus' : 'other' };
      });
    return { contig: this.contig, marks, chunksOfMark: this.chunksOfMark, regions: this.regions };
  }
}
