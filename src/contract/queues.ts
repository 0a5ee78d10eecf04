import type { DeviceKind } from './devices.js';
import type { Stage } from './stages.js';

/** Workflow tasks: predictCampaign and embedStage. */
export const CONTROL_QUEUE = 'virnucpro-control';

/** Activities that need no model on a device: split, plan, classify, report. */
export const CPU_QUEUE = 'virnucpro-cpu';

/** Lease offers, named by what a host can serve. Its workers have as many slots as the host has devices of the kind. */
export function leaseQueue(kind: DeviceKind): string {
  return `virnucpro-lease-${kind}`;
}

/** The queue of one lane during one lease. Never reused, so nothing meant for a dead lease can reach a later one. */
export function laneQueue(lane: { stage: Stage; host: string; device: string; lease: string }): string {
  return `${lane.stage}@${lane.host}/${lane.device}#${lane.lease}`;
}
