/**
 * What can go wrong, by class. The name of a class travels as the `type` of a Temporal ApplicationFailure
 * (activities/to-failure.ts); its doc says what the engine does with it.
 */

/** The parts of every message: what is wrong, where, and what to do about it. */
export interface Problem {
  /** What is wrong, naming the value and the allowed values. */
  what: string;
  /** File, line, record, tensor, device: where it is wrong. */
  where?: string;
  /** The next step for the person who reads this. */
  next: string;
  /** The underlying error, if any. */
  cause?: unknown;
}

/** Base of all errors that VirNucPro throws on purpose. */
export abstract class VirnucproError extends Error {
  readonly what: string;
  readonly where: string | undefined;
  readonly next: string;

  constructor(problem: Problem) {
    super(
      `${problem.what}${problem.where ? ` (${problem.where})` : ''}. ${problem.next}`,
      problem.cause === undefined ? undefined : { cause: problem.cause },
    );
    this.name = new.target.name;
    this.what = problem.what;
    this.where = problem.where;
    this.next = problem.next;
  }
}

/** A flag, environment variable or config value is not usable. The command stops at once with exit code 2. */
export class OptionError extends VirnucproError {}

/** An input file is not what it should be. Never retried; the sample fails, the campaign goes on. */
export class InputError extends VirnucproError {}

/** A model file is missing, malformed or does not fit. Never retried; the run fails before a batch is spent. */
export class ModelError extends VirnucproError {}

/**
 * A device that was asked for is absent or computes wrongly. A command stops; a lane's device is taken out of service as a
 * sick one ({@link LaneSick}). Nothing falls back to the CPU.
 */
export class DeviceError extends VirnucproError {}

/** A host cannot serve an offer now. The run is told why; the server retries the offer, on whichever host is free. */
export class Declined extends VirnucproError {}

/** Reading or writing the store failed (disk full, store away). Retried with backoff until it works. */
export class StorageError extends VirnucproError {}

/** A finished artifact's bytes or origin are not what its digests say. It is made again, never used. */
export class ArtifactInvalid extends VirnucproError {}

/** The process or device ran out of memory. The call is halved; one sequence that does not fit is quarantined. */
export class OutOfMemory extends VirnucproError {}

/** An embedding holds NaN or infinity. Retried once on another lane, then bisected; the sequence is quarantined. */
export class NonFiniteEmbedding extends VirnucproError {}

/**
 * A device failed its self-test after failures on different batches. Its process is started again; the second time the
 * lane is retired with its reason. Its batches move to other lanes, and none is charged.
 */
export class LaneSick extends VirnucproError {}

/** A lane stopped before it finished its batch. The batch moves to another lane. */
export class LaneLost extends VirnucproError {}

/** A run or one of its samples failed; `type` names the class it failed with. For the command line, which exits 1. */
export class RunFailed extends VirnucproError {
  constructor(
    readonly type: string,
    problem: Problem,
  ) {
    super(problem);
  }
}

/** The Temporal server cannot be found, started or shared. The command stops; finished work and history are kept. */
export class ServerError extends VirnucproError {}

/** A state that cannot be. This is a bug in VirNucPro: please report it. The run fails. */
export class InternalError extends VirnucproError {
  constructor(what: string, where?: string) {
    super({ what, ...(where === undefined ? {} : { where }), next: 'This is a bug, please report it.' });
  }
}
