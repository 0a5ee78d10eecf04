import { atOnce } from '../io/at-once.js';
import type { GraphSegment } from '../model/graph/segments.js';
import type { BackendOptions, Feeds, LoadableGraph } from './backend.js';
import type { Pooling } from './pooling.js';
import { SessionThread } from './session-thread.js';

/** A segment of a graph that is ready to load. */
export type LoadableSegment = GraphSegment & LoadableGraph;

/** Options of {@link SegmentedSession.run}. */
export interface RunOptions {
  /** For one vector a row. */
  pooling?: Pooling;
  /** Looked at before each segment; its reason is thrown. */
  signal?: AbortSignal | undefined;
  /** Called when a segment has computed. */
  onSegment?: (() => void) | undefined;
}

/**
 * A loaded model in segments, each on a session thread: while one computes a call, the one before computes the next. Calls
 * come out in the order in which they went in.
 */
export class SegmentedSession {
  private readonly underWay = new Set<Promise<unknown>>();

  private constructor(
    private readonly parts: readonly Part[],
    /** Provider and version. */
    readonly provider: string,
  ) {}

  /**
   * Loads all segments, `atATime` of them at once.
   * @throws what {@link SessionThread.open} throws, when what was loaded is closed again.
   */
  static async open(
    segments: readonly LoadableSegment[],
    options: BackendOptions,
    atATime = 1,
  ): Promise<SegmentedSession> {
    const sessions: SessionThread[] = [];
    try {
      await atOnce(atATime, segments.entries(), async ([i, segment]) => {
        sessions[i] = await SessionThread.open(segment, options);
      });
    } catch (error) {
      await Promise.allSettled(sessions.map((session) => session.close()));
      throw error;
    }
    const parts = sessions.map((session, i) => new Part(segments[i]!, session));
    return new SegmentedSession(parts, sessions[0]!.provider);
  }

  /**
   * The model's output, or one vector a row when `pooling` is given.
   * @throws OutOfMemory when the call does not fit.
   */
  run(feeds: Feeds, options: RunOptions = {}): Promise<Float32Array> {
    const result = this.runParts(feeds, options);
    const ended = result.catch(() => {}).finally(() => this.underWay.delete(ended));
    this.underWay.add(ended);
    return result;
  }

  /** Waits for the calls under way, gives the memory back and ends the threads. May be called again. */
  async close(): Promise<void> {
    await Promise.all(this.underWay);
    await Promise.all(this.parts.map(({ session }) => session.close()));
  }

  private async runParts(feeds: Feeds, { pooling, signal, onSegment }: RunOptions): Promise<Float32Array> {
    let output: Float32Array = new Float32Array();
    for (const part of this.parts) {
      output = await part.run(feeds, output, { signal, ...(part === this.parts.at(-1) && pooling && { pooling }) });
      onSegment?.();
    }
    return output;
  }
}

/** One segment with its session thread. */
class Part {
  /** The ends of the last two calls. */
  private ends: [Promise<unknown>, Promise<unknown>] = [Promise.resolve(), Promise.resolve()];

  constructor(
    private readonly segment: LoadableSegment,
    readonly session: SessionThread,
  ) {}

  /** One call computes and the next is with the thread, so that it does not wait for ours; others can still be cancelled. */
  run(feeds: Feeds, carried: Float32Array, { pooling, signal }: RunOptions): Promise<Float32Array> {
    const [before, last] = this.ends;
    const result = before.then(() => {
      signal?.throwIfAborted();
      return this.session.run(this.own(feeds, carried), pooling);
    });
    this.ends = [last, result.catch(() => {})];
    return result;
  }

  private own(feeds: Feeds, data: Float32Array): Feeds {
    const { inputs, carried } = this.segment;
    const own: Feeds = Object.fromEntries(inputs.map((name) => [name, feeds[name]!]));
    if (carried === undefined) return own;
    const { name, width } = carried;
    return { ...own, [name]: { type: 'float32', dims: [data.length / width, width], data } };
  }
}
