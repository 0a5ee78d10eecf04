import path from 'node:path';
import type { SampleCounts } from '../../src/contract/run.js';
import type { Stage } from '../../src/contract/stages.js';
import { type ContigResult, writeBed, writeContigTable } from '../../src/io/contig-tables.js';
import { type Provenance, writeProvenance } from '../../src/io/provenance.js';
import { type QuarantinedFrame, writeAccounting, writeConsensus, writeQuarantine } from '../../src/io/tables.js';
import { accountContigs, checkLaws } from '../../src/scoring/accounting.js';
import { Consensus, isVirus } from '../../src/scoring/consensus.js';
import { callContig, chunksByContig } from '../../src/scoring/contig-call.js';
import { viralRegions } from '../../src/scoring/viral-regions.js';
import { chunkId } from '../../src/sequence/ids.js';

/** A contig by the P(virus) of the only frame of each of its chunks; undefined: no open frame. */
export interface FakeContig {
  id: string;
  length: number;
  scores: readonly (number | undefined)[];
  /** Chunks, from 1, whose frame is quarantined instead. */
  quarantined?: readonly number[];
}

const SHA256 = 'ab'.repeat(32);

/** Writes what a report reads of a finished sample, by the writers of a run. Chunks have 500 bases. */
export async function writeFakeSample(
  folder: string,
  stem: string,
  contigs: readonly FakeContig[],
  lanes?: Provenance['lanes'],
): Promise<SampleCounts> {
  const consensus = new Consensus();
  const quarantined: QuarantinedFrame[] = [];
  let framesCalled = 0;
  let framesViral = 0;
  for (const contig of contigs) {
    contig.scores.forEach((virus, i) => {
      const id = `${chunkId(contig.id, i + 1)}F1`;
      if (contig.quarantined?.includes(i + 1)) quarantined.push({ id, stage: 'esm-2', reason: 'non_finite' });
      else if (virus !== undefined) {
        framesCalled += 1;
        if (virus > 0.5) framesViral += 1;
        const [score1, score2] = [Math.fround(1 - virus), Math.fround(virus)];
        consensus.add({ id, label: virus > 0.5 ? 'virus' : 'others', score1, score2 });
      }
    });
  }
  const calls = consensus.sorted();
  const rows = accountContigs(
    contigs.map(({ id, length, scores, quarantined: left = [] }) => {
      const open = scores.filter((score, i) => score !== undefined || left.includes(i + 1)).length;
      const reason = length === 0 ? 'empty' : length < 3 ? 'too_short' : open === 0 ? 'no_open_frame' : '';
      return {
        id,
        length,
        chunks: scores.length,
        chunksNoOpenFrame: scores.length - open,
        frames: open,
        reason,
      } as const;
    }),
    calls,
    quarantined.map(({ id }) => id),
  );
  checkLaws(rows, framesCalled, quarantined.length);
  const chunks = chunksByContig(calls);
  const results = rows.map(({ contig, length, reason }): ContigResult => {
    const scored = chunks.get(contig) ?? [];
    return { contig, length, reason, verdict: callContig(scored), regions: viralRegions(contig, length, 500, scored) };
  });
  const regions = results.flatMap((result) => result.regions);
  const counts: SampleCounts = {
    contigs: rows.length,
    contigsCalled: rows.filter(({ status }) => status === 'called').length,
    contigsViral: results.filter(({ verdict }) => verdict.call === 'Viral').length,
    viralRegions: regions.length,
    chunks: rows.reduce((sum, row) => sum + row.chunks, 0),
    chunksCalled: calls.length,
    chunksViral: calls.filter(isVirus).length,
    frames: framesCalled + quarantined.length,
    framesCalled,
    framesViral,
    framesQuarantined: quarantined.length,
  };
  const files = [
    await writeConsensus(path.join(folder, `${stem}_merged`, 'prediction_results_highestscore.csv'), calls),
    await writeAccounting(path.join(folder, 'accounting.tsv'), rows),
    await writeQuarantine(path.join(folder, 'quarantined.tsv'), quarantined),
    await writeContigTable(path.join(folder, 'contigs.tsv'), results),
    await writeBed(path.join(folder, 'viral_regions.bed'), regions),
  ];
  const stage = { embedded: 12, reused: 3, frames: framesCalled, tokens: 9 * framesCalled, quarantined: 0 };
  await writeProvenance(path.join(folder, 'provenance.json'), {
    tool: 'virnucpro-temporal',
    version: '0.1.0',
    created: '2026-11-22T10:11:12Z',
    input: { path: `/data/${stem}.fa.gz`, sha256: SHA256, bytes: 123_456, records: rows.length },
    options: { 'expected-length': 500, 'batch-sequences': 200, 'persistent-models': true, lanes: 2, precision: 'fp32' },
    models: [
      { role: 'dnabert-s', path: '/models/DNABERT-S', digest: SHA256, dims: { hidden: 768, layers: 12 } },
      { role: 'esm-2', path: '/models/esm2_t36_3B_UR50D.pt', digest: SHA256, dims: { hidden: 2560, layers: 36 } },
      { role: 'classifier', path: '/models/500_model.pth', digest: SHA256, dims: { inputSize: 3328 } },
    ],
    digests: { contigs: SHA256, batches: SHA256 },
    versions: { node: '20.19.0', onnxruntime: '1.30.0', temporalSdk: '1.24.0' },
    lanes: lanes ?? [
      fakeLane('dnabert-s', 'alpha/cpu:0', [{ from: -1.5, ready: 0.5, to: 312.4 }]),
      fakeLane('esm-2', 'alpha/cpu:0', [{ from: 0.2, ready: 42.2, to: 1803.9 }]),
      fakeLane('esm-2', 'beta/cpu:1', [
        { from: 0.3, ready: 61.3, to: 700.1, lost: true },
        { from: 760, ready: 820, to: 1803.9 },
      ]),
    ],
    stages: {
      'dnabert-s': { ...stage, started: '2026-11-22T09:33:00.000Z', modelLoads: 1, retries: 0, seconds: 312.4 },
      'esm-2': { ...stage, started: '2026-11-22T09:38:12.400Z', modelLoads: 3, retries: 2, seconds: 1803.9 },
    },
    workflow: { id: `virnucpro-${stem}-0a1b2c3d`, runId: '0198c7f0-1111', namespace: 'default' },
    timings: { split: 2.5, 'dnabert-s': 312.4, 'esm-2': 1803.9, classify: 12.1 },
    counts: { ...counts },
    files,
  });
  return counts;
}

/** A lane (`host/device`) that served a stage: 100 frames and 900 tokens in each of 6 batches, in half of its time. */
export function fakeLane(
  stage: Stage,
  lane: string,
  spans: Provenance['lanes'][number]['spans'],
): Provenance['lanes'][number] {
  const [host, device] = lane.split('/') as [string, string];
  const busySeconds = spans.reduce((sum, { ready, to }) => sum + (to - ready) / 2, 0);
  const losses = spans.filter(({ lost }) => lost).length;
  const figures = { peakBytes: 520e6, tokensPerCall: 607 };
  const did = { batches: 6, frames: 600, tokens: 5400, busySeconds, modelLoads: spans.length, losses, ...figures };
  return { stage, host, device, ...did, spans };
}

/** The same numbers from 0 to 1 for the same seed. */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16807) % 2147483647) / 2147483647;
}

/** A metagenome: short contigs, one viral of eight, a third of the chunks with an open frame, and a prophage. */
export function fakeMetagenome(contigs: number, seed = 1): FakeContig[] {
  const random = numbers(seed);
  const scores = (chunks: number, isViral: (chunk: number) => boolean): (number | undefined)[] =>
    Array.from({ length: chunks }, (_, i) => {
      if (random() > 0.4) return undefined;
      const sure = 0.55 + 0.45 * Math.sqrt(random());
      return isViral(i) === random() < 0.93 ? sure : 1 - sure;
    });
  const short = Array.from({ length: contigs - 1 }, (_, i): FakeContig => {
    const length = Math.floor(200 + 9000 * random() ** 4);
    const viral = random() < 0.125;
    return {
      id: `NODE_${i + 2}_length_${length}_cov_${(50 * random()).toFixed(3)}`,
      length,
      scores: scores(Math.ceil(length / 500), () => viral),
    };
  });
  const host = scores(800, (chunk) => chunk >= 300 && chunk < 390);
  return [{ id: 'NODE_1_length_400000_cov_31.7', length: 400_000, scores: host }, ...short];
}
