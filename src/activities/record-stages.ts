import type { ArtifactRef } from '../contract/artifacts.js';
import { ArtifactInvalid } from '../contract/failures.js';
import type { StageSummary } from '../contract/run.js';
import type { Stage } from '../contract/stages.js';
import type { ArtifactStore } from '../io/artifact-store.js';
import { readJsonLines, writeJsonLines } from '../io/json-lines.js';
import { openStore } from '../io/open-store.js';
import { waveStagesKey } from './keys.js';

/** How the stages of a wave went. */
export type StageSummaries = Record<Stage, StageSummary>;

/** Argument of the `recordStages` activity. */
export interface RecordStagesInput {
  /** First sample of the wave. */
  cursor: number;
  stages: StageSummaries;
  store: string;
}

/** Keeps how a wave's stages went for the provenance of each of its samples: many lanes make it long. */
export async function recordStages({ cursor, stages, store }: RecordStagesInput): Promise<ArtifactRef> {
  return openStore(store).put(waveStagesKey(cursor), (file) => writeJsonLines(file, [stages]));
}

/**
 * What {@link recordStages} kept.
 * @throws ArtifactInvalid when it is not there whole.
 */
export async function readStages(store: ArtifactStore, ref: ArtifactRef): Promise<StageSummaries> {
  const [stages] = await readJsonLines<StageSummaries>(await store.get(ref));
  if (stages !== undefined) return stages;
  throw new ArtifactInvalid({ what: 'no record of the stages', where: ref.uri, next: 'It will be made again' });
}
