import { ActivityFailure, ApplicationFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/workflow';
import type { FailureReport } from '../contract/run.js';

/** Failure types (class names of contract/failures.ts) after which no host and no other try can help. */
const FATAL = new Set(['ModelError', 'OptionError', 'InternalError']);

/** The innermost failure: what really happened, below the wrappers of activities and children. */
export function rootFailure(error: unknown): unknown {
  let failure = error;
  while ((failure instanceof ActivityFailure || failure instanceof ChildWorkflowFailure) && failure.cause) {
    failure = failure.cause;
  }
  return failure;
}

/** The class name that an activity failed with, or undefined for timeouts, cancellation and the like. */
export function failureType(error: unknown): string | undefined {
  const root = rootFailure(error);
  return root instanceof ApplicationFailure ? (root.type ?? undefined) : undefined;
}

/** The message for people, without the wrappers' "Activity task failed". */
export function failureMessage(error: unknown): string {
  const root = rootFailure(error);
  return root instanceof Error ? root.message : String(root);
}

/** True when trying again, here or elsewhere, cannot help. */
export function isFatal(error: unknown): boolean {
  const type = failureType(error);
  return type !== undefined && FATAL.has(type);
}

/** True when the process or host that ran an activity was told to end, and handed it back. */
export function isShutdown(error: unknown): boolean {
  return failureType(error) === 'WorkerShutdown';
}

/** True when the process or host that ran an activity is gone: it stopped beating, or its device did. */
export function isLaneLost(error: unknown): boolean {
  if (rootFailure(error) instanceof TimeoutFailure) return true;
  const type = failureType(error);
  return type === 'LaneLost' || type === 'LaneSick';
}

/** True when a lease ended because its host or its server went away, as they may at any time. */
export function isHostGone(error: unknown): boolean {
  return rootFailure(error) instanceof TimeoutFailure || isShutdown(error);
}

/** True when a lease ended because its device was taken out of service. */
export function isRetired(error: unknown): boolean {
  return failureType(error) === 'LaneSick';
}

/** True when artifacts on disk are not what they claim: the wave makes them again. */
export function isArtifactInvalid(error: unknown): boolean {
  return failureType(error) === 'ArtifactInvalid';
}

/** What people need to know of a failure: the parts that activities attach, or else its message. */
export function failureReport(error: unknown): FailureReport {
  const root = rootFailure(error);
  const [parts] = root instanceof ApplicationFailure ? ((root.details ?? []) as Partial<FailureReport>[]) : [];
  return {
    type: failureType(error) ?? 'Unexpected',
    what: parts?.what ?? failureMessage(error),
    ...(parts?.where === undefined ? {} : { where: parts.where }),
    next: parts?.next ?? "See the run's history in the Temporal UI",
  };
}

/** Ends a run that got no lane for as long as it was told to wait. */
export function laneTimeout(seconds: number, waitingFor: string): ApplicationFailure {
  const type = 'LaneTimeout';
  const report: FailureReport = {
    type,
    what: `no lane for ${seconds} s (--lane-timeout): waiting for ${waitingFor}`,
    next: 'Start a host that offers such lanes; the same command goes on from what is finished',
  };
  return ApplicationFailure.create({ message: report.what, type, nonRetryable: true, details: [report] });
}
