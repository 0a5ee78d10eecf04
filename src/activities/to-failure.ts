import { CancelledFailure, activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { Declined, StorageError, VirnucproError } from '../contract/failures.js';
import { OFFER_RETRY_MS } from '../contract/defaults.js';
import type { FailureReport } from '../contract/run.js';

/** Tries that an error we have no class for gets: it may be a passing fault of the machine, or a bug. */
const TRIES_OF_THE_UNKNOWN = 3;

/** Turns what an activity threw into the typed failure that workflows decide by. The one place where this is done. */
export function toFailure(error: unknown): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) {
    return error;
  }
  const message = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error ? error : undefined;
  if (error instanceof VirnucproError) {
    return ApplicationFailure.create({
      type: error.name,
      message,
      nonRetryable: !(error instanceof StorageError || error instanceof Declined),
      details: [report(error)],
      ...(cause ? { cause } : {}),
      ...(error instanceof Declined ? { nextRetryDelay: OFFER_RETRY_MS } : {}),
    });
  }
  return ApplicationFailure.create({
    type: 'Unexpected',
    message,
    nonRetryable: activityInfo().attempt >= TRIES_OF_THE_UNKNOWN,
    ...(cause ? { cause } : {}),
  });
}

/** Each of `activities`, failing with {@link toFailure}. */
export function withFailures<T extends Record<string, (...args: never[]) => Promise<unknown>>>(activities: T): T {
  const wrapped = Object.entries(activities).map(([name, run]) => [
    name,
    async (...args: never[]): Promise<unknown> => {
      try {
        return await run(...args);
      } catch (error) {
        throw toFailure(error);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as T;
}

function report({ name, what, where, next }: VirnucproError): FailureReport {
  return { type: name, what, next, ...(where === undefined ? {} : { where }) };
}
