import type { TrackMark } from './charts.js';
import { SHOWN } from './shown.js';

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

/** Gathers a contig's chunks; those of a long one in equal windows. */
export class Track {
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
