import path from 'node:path';

/** Result tables of a sample, by their names in its output folder. */
export const RESULT_FILES = {
  frames: 'frames.parquet',
  contigs: 'contigs.tsv',
  accounting: 'accounting.tsv',
  quarantined: 'quarantined.tsv',
  bed: 'viral_regions.bed',
  gff3: 'viral_regions.gff3',
  viral: 'viral.fa',
  viralRegions: 'viral_regions.fa',
} as const;

/** The original's two tables, by their names in `<stem>_merged`. */
export const CLASSIC_FILES = {
  predictions: 'prediction_results.txt',
  highestScores: 'prediction_results_highestscore.csv',
} as const;

/** Where one of {@link CLASSIC_FILES} is in a sample's output folder; `stem` is the input's name without its suffix. */
export function classicFile(stem: string, file: keyof typeof CLASSIC_FILES): string {
  return path.join(`${stem}_merged`, CLASSIC_FILES[file]);
}
