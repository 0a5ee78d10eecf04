import { asPrinted } from '../io/number-text.js';
import { contigOfChunk, numberOfChunk } from '../sequence/ids.js';
import { type ChunkCall, isVirus } from './consensus.js';

/**
 * A called chunk by its place on its contig, with its highest scores as the tables print them: whoever reads the tables
 * gets the same verdicts.
 */
export interface ScoredChunk {
  /** From 1; chunks that were not called are missing between. */
  number: number;
  pVirus: number;
  pOther: number;
  isVirus: boolean;
}

/** What a contig is by all its chunks; `Unclassified` when none was called. */
export type ContigVerdict = 'Viral' | 'Non-viral' | 'Ambiguous' | 'Unclassified';

/** How far a verdict can be trusted, from the surest; `review`: a person should look. */
export const TIERS = ['high_confidence', 'moderate_confidence', 'low_confidence', 'review'] as const;

/** Empty when there is no verdict. */
export type Tier = (typeof TIERS)[number] | '';

/** A contig's verdict and what it rests on. */
export interface ContigCall {
  call: ContigVerdict;
  tier: Tier;
  /** Mean of P(virus) - P(others) over the called chunks, weighted by the root of its size; NaN when there is none. */
  weightedDelta: number;
  chunksCalled: number;
  chunksViral: number;
  confidentViral: number;
  confidentOther: number;
  /** Chunks with a high score for both: frames disagree. */
  ambiguous: number;
  /** Confident chunks over those that are not ambiguous. */
  viralProportion: number;
  otherProportion: number;
  maxPVirus: number;
  maxPOther: number;
}

/** The thresholds that production users of VirNucPro settled on (viral-ngs, `virnucpro_contigs`, its defaults). */
const RULE = {
  weightedDelta: 0.3,
  highDelta: 0.6,
  confidentScore: 0.8,
  opposingScore: 0.3,
  ambiguousScore: 0.7,
  proportion: 0.1,
  chunks: 5,
} as const;

/** Called chunks by contig, in the order of their place on it. */
export function chunksByContig(calls: Iterable<ChunkCall>): Map<string, ScoredChunk[]> {
  const contigs = new Map<string, ScoredChunk[]>();
  for (const call of calls) {
    const contig = contigOfChunk(call.id);
    const chunk: ScoredChunk = {
      number: numberOfChunk(call.id),
      pVirus: asPrinted(call.maxScore2),
      pOther: asPrinted(call.maxScore1),
      isVirus: isVirus(call),
    };
    const chunks = contigs.get(contig);
    if (chunks === undefined) contigs.set(contig, [chunk]);
    else chunks.push(chunk);
  }
  for (const chunks of contigs.values()) chunks.sort((a, b) => a.number - b.number);
  return contigs;
}

/**
 * A contig's verdict by the formula of viral-ngs' `virnucpro_contigs`: the weighted mean of P(virus) - P(others) decides
 * the call, confident chunks decide the tier, and a contig of under five called chunks loses a tier.
 */
export function callContig(chunks: readonly ScoredChunk[]): ContigCall {
  let weights = 0;
  let weighted = 0;
  let confidentViral = 0;
  let confidentOther = 0;
  let ambiguous = 0;
  let chunksViral = 0;
  let maxPVirus = 0;
  let maxPOther = 0;
  for (const { pVirus, pOther, isVirus: viral } of chunks) {
    const delta = pVirus - pOther;
    const weight = Math.sqrt(Math.abs(delta));
    weights += weight;
    weighted += delta * weight;
    if (isConfident(pVirus, pOther)) confidentViral += 1;
    if (isConfident(pOther, pVirus)) confidentOther += 1;
    if (pVirus > RULE.ambiguousScore && pOther > RULE.ambiguousScore) ambiguous += 1;
    if (viral) chunksViral += 1;
    maxPVirus = Math.max(maxPVirus, pVirus);
    maxPOther = Math.max(maxPOther, pOther);
  }
  const clear = chunks.length - ambiguous;
  const viralProportion = clear > 0 ? confidentViral / clear : 0;
  const otherProportion = clear > 0 ? confidentOther / clear : 0;
  // Without any weight every delta is 0.
  const weightedDelta = chunks.length === 0 ? NaN : weights > 0 ? weighted / weights : 0;
  const call = verdictOf(weightedDelta);
  const proportion = call === 'Viral' ? viralProportion : otherProportion;
  return {
    call,
    tier: demoted(tierOf(call, Math.abs(weightedDelta), proportion), chunks.length),
    weightedDelta,
    chunksCalled: chunks.length,
    chunksViral,
    confidentViral,
    confidentOther,
    ambiguous,
    viralProportion,
    otherProportion,
    maxPVirus,
    maxPOther,
  };
}

function isConfident(score: number, opposing: number): boolean {
  return score > RULE.confidentScore && opposing < RULE.opposingScore;
}

function verdictOf(weightedDelta: number): ContigVerdict {
  if (Number.isNaN(weightedDelta)) return 'Unclassified';
  if (weightedDelta > RULE.weightedDelta) return 'Viral';
  return weightedDelta < -RULE.weightedDelta ? 'Non-viral' : 'Ambiguous';
}

function tierOf(call: ContigVerdict, size: number, proportion: number): Tier {
  if (call === 'Unclassified') return '';
  if (call === 'Ambiguous') return 'review';
  if (proportion < RULE.proportion) return 'low_confidence';
  return size > RULE.highDelta ? 'high_confidence' : 'moderate_confidence';
}

function demoted(tier: Tier, chunks: number): Tier {
  if (chunks >= RULE.chunks) return tier;
  if (tier === 'high_confidence' || tier === 'moderate_confidence') return 'low_confidence';
  return tier === 'low_confidence' ? 'review' : tier;
}
