import type { EmbedBatchInput, EmbedBatchOutput } from '../contract/run.js';
import { type BatchLane, embedBatch } from './embed-batch.js';
import { withFailures } from './to-failure.js';

/** Activities of one lane, for its process. In a file of their own: a lane starts sooner without the modules of the others. */
export type LaneActivities = ReturnType<typeof createLaneActivities>;

/** What a lane's activities need from its process. */
export interface LaneDeps {
  lane: BatchLane;
  /** The stage run gives the lane back and wants it kept warm. */
  onPark(): void;
}

// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the inferred type is the interface
export function createLaneActivities({ lane, onPark }: LaneDeps) {
  return withFailures({
    embedBatch: (input: EmbedBatchInput): Promise<EmbedBatchOutput> => embedBatch(input, lane),
    parkLane: async (): Promise<void> => onPark(),
    /** Answers when the lane's queue is served: asked after a batch went silent on a lane that is not known dead. */
    pingLane: async (): Promise<void> => {},
  });
}
