import type { BackendOptions, Feeds, LoadableGraph } from './backend.js';
import type { Pooling } from './pooling.js';
import { SessionThread } from './session-thread.js';

/** A segment of a graph that is ready to load; see GraphSegment. */
export interface LoadableSegment extends LoadableGraph {
  inputs: string[];
  carried?: { name: string; width: number };
}

/**
 * A loaded model in segments, each on a session thread: while one computes a call, the one before computes the next. Calls
 * come out in the order in which they went in.
 */
export class SegmentedSession {
  private constructor(
    private readonly parts: readonly { segment: LoadableSegment; session: SessionThread }[],
    /** Provider and version. */
    readonly provider: string,
  ) {}

  /**
   * Loads all segments at once.
   * @throws what {@link SessionThread.open} throws, when what was loaded is closed again.
   */
  static async open(segments: readonly LoadableSegment[], options: BackendOptions): Promise<SegmentedSession> {
    const opened = await Promise.allSettled(segments.map((segment) => SessionThread.open(segment, options)));
    const sessions = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const failed = opened.find((one) => one.status === 'rejected');
    if (failed !== undefined) {
      await Promise.all(sessions.map((session) => session.close()));
      throw failed.reason;
    }
    const parts = sessions.map((session, i) => ({ segment: segments[i]!, session }));
    return new SegmentedSession(parts, sessions[0]!.provider);
  }

  /**
   * The model's output, or one vector a row when `pooling` is given.
   * @param signal looked at before each segment; its reason is thrown.
   * @throws OutOfMemory when the call does not fit.
   */
  async run(feeds: Feeds, pooling?: Pooling, signal?: AbortSignal): Promise<Float32Array> {
    let output: Float32Array = new Float32Array();
    for (const [i, { segment, session }] of this.parts.entries()) {
      signal?.throwIfAborted();
      const { inputs, carried } = segment;
      const own: Feeds = Object.fromEntries(inputs.map((name) => [name, feeds[name]!]));
      if (carried !== undefined) {
        const { name, width } = carried;
        own[name] = { type: 'float32', dims: [output.length / width, width], data: output };
      }
      output = await session.run(own, i === this.parts.length - 1 ? pooling : undefined);
    }
    return output;
  }

  /** Waits for what computes, gives the memory back and ends the threads. May be called again. */
  async close(): Promise<void> {
    await Promise.all(this.parts.map(({ session }) => session.close()));
  }
}
