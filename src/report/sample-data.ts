import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { InputError } from '../contract/failures.js';
import { PROVENANCE, type Provenance, provenanceSchema } from '../io/provenance.js';
import { readLines, readTable, unquoted } from '../io/read-table.js';
import { CLASSIC_FILES, RESULT_FILES } from '../io/result-files.js';
import { TIERS } from '../scoring/contig-call.js';
import { chunkSpan } from '../sequence/chunk.js';
import { contigOfChunk, numberOfChunk } from '../sequence/ids.js';
import type { Bin, Tone } from './charts.js';
import { Histogram } from './histogram.js';
import { SHOWN } from './shown.js';
import { Top } from './top.js';
import { type ContigView, type RegionView, Track, type TrackView } from './track.js';

/** A tier's place from the surest; -1 of none. */
export function tierRank(tier: string): number {
  return TIERS.findIndex((name) => name === tier);
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
  const scores =
    provenance.files.map((file) => file.path).find((file) => file.endsWith(CLASSIC_FILES.highestScores)) ?? '';
  const merged = path.basename(path.dirname(scores));
  const chunkSize = Number(provenance.options['expected-length']);

  const { contigScores, ...contigs } = await readContigs(at(RESULT_FILES.contigs));
  const drawn = [...contigs.top.items.slice(0, SHOWN.tracks), ...contigs.mixed.items];
  const tracked = new Map(drawn.map((contig) => [contig.id, new Track(contig, chunkSize)]));
  const chunkScores = await readScores(at(path.join(merged, path.basename(scores))), tracked, chunkSize);
  const regions = await readRegions(at(RESULT_FILES.bed), tracked);
  const accounted = await readAccounting(at(RESULT_FILES.accounting));
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
    quarantined: await readQuarantined(at(RESULT_FILES.quarantined)),
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
