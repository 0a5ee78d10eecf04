/** Names of the updates that a campaign takes from people (`virnucpro pause`, `resume`, ...). */
export const COMMANDS = {
  pause: 'pause',
  resume: 'resume',
  retryFailed: 'retryFailed',
  drainLane: 'drainLane',
  setMaxLanes: 'setMaxLanes',
} as const;

/** Argument of the update `drainLane`: one lane, as `host/device`, gives its work back and is not used until `setMaxLanes`. */
export interface DrainLane {
  lane: string;
}

/** Argument of the update `setMaxLanes`: most lanes at once, from 1 up; drained ones may be among them again. */
export interface SetMaxLanes {
  lanes: number;
}

/** What a campaign tells its slices. */
export type SliceCommand =
  | { op: 'pause' }
  | { op: 'resume' }
  | { op: 'retryFailed' }
  | ({ op: 'drainLane' } & DrainLane)
  | { op: 'readmit' }
  | ({ op: 'setMaxLanes' } & SetMaxLanes);

/** Name of the signal that carries a {@link SliceCommand}. */
export const SLICE_COMMAND_SIGNAL = 'sliceCommand';
