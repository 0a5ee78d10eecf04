import * as failures from '../contract/failures.js';
import type { BackendOptions, Feeds, LoadableGraph } from './backend.js';
import type { Pooling } from './pooling.js';

/** What a session thread is asked to do. */
export type ThreadCall =
  | { op: 'open'; graph: LoadableGraph; options: BackendOptions }
  | { op: 'run'; feeds: Feeds; pooling: Pooling | undefined }
  | { op: 'release' };

/** A call with the number that its reply has. */
export type ThreadRequest = ThreadCall & { id: number };

/** What came of the call of this number. */
export type ThreadReply = { id: number; value: string | Float32Array | undefined } | { id: number; failure: Failure };

/** An error as plain data: a structured clone keeps neither class nor own fields. */
export interface Failure {
  name: string;
  message: string;
  stack: string | undefined;
  problem: failures.Problem | undefined;
}

/** Takes an error apart, for {@link fromFailure}. */
export function toFailure(error: unknown): Failure {
  const { name, message, stack } = error as Error;
  if (!(error instanceof failures.VirnucproError)) return { name, message, stack, problem: undefined };
  const { what, where, next } = error;
  return { name, message, stack, problem: { what, next, ...(where === undefined ? {} : { where }) } };
}

/**
 * The error that {@link toFailure} took apart, with the thread's stack: one of ours of the same class, any other (a
 * failed launch, a lost device) as a plain Error, because only who called knows whether the device is to blame.
 */
export function fromFailure({ name, message, stack, problem }: Failure): Error {
  const classes = failures as unknown as Record<string, new (problem: failures.Problem) => Error>;
  const error = problem === undefined ? Object.assign(new Error(message), { name }) : new classes[name]!(problem);
  if (stack !== undefined) error.stack = stack;
  return error;
}
