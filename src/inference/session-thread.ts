import './no-telemetry.js';
import { Worker } from 'node:worker_threads';
import { InternalError } from '../contract/failures.js';
import type { BackendOptions, Feeds, LoadableGraph } from './backend.js';
import type { Pooling } from './pooling.js';
import { fromFailure, type ThreadCall, type ThreadReply } from './thread-messages.js';

interface Pending {
  resolve: (value: never) => void;
  reject: (error: Error) => void;
}

/**
 * One loaded model on a thread of its own: loading and running block their thread, and heartbeats must not wait for
 * them. Calls are answered in order. The thread is never ended during a call, which would abort the process.
 */
export class SessionThread {
  private readonly pending = new Map<number, Pending>();
  private calls = 0;
  private closing: Promise<void> | undefined;
  /** Why the thread is gone, if it is. */
  private gone: Error | undefined;

  private constructor(
    private readonly thread: Worker,
    /** Provider and version. */
    public provider: string,
  ) {
    thread.on('message', (reply: ThreadReply) => this.settle(reply));
    thread.on('error', (error: Error) => this.fail(error));
    thread.on('exit', () => this.fail(new InternalError('the session thread ended before it answered')));
  }

  /**
   * Starts a thread and loads `graph` on it.
   * @throws ModelError when the graph or its weights are refused; OutOfMemory when they do not fit.
   */
  static async open(graph: LoadableGraph, options: BackendOptions): Promise<SessionThread> {
    const session = new SessionThread(new Worker(new URL('./session-thread-worker.js', import.meta.url)), '');
    try {
      session.provider = await session.call<string>({ op: 'open', graph, options });
      return session;
    } catch (error) {
      await session.thread.terminate();
      throw error;
    }
  }

  /**
   * The model's output, or one vector a row when `pooling` is given.
   * @throws OutOfMemory when the call does not fit.
   */
  run(feeds: Feeds, pooling?: Pooling): Promise<Float32Array> {
    return this.call<Float32Array>({ op: 'run', feeds, pooling });
  }

  /** Waits for the calls under way, gives the memory back and ends the thread. May be called again. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    if (this.gone !== undefined) return;
    await this.call<undefined>({ op: 'release' }).finally(() => this.thread.terminate());
  }

  private call<T>(call: ThreadCall): Promise<T> {
    if (this.closing !== undefined) return Promise.reject(new InternalError('the session thread is closed'));
    if (this.gone !== undefined) return Promise.reject(this.gone);
    this.calls += 1;
    const id = this.calls;
    return new Promise<T>((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.thread.postMessage({ ...call, id });
    });
  }

  private settle(reply: ThreadReply): void {
    const { resolve, reject } = this.pending.get(reply.id)!;
    this.pending.delete(reply.id);
    if ('failure' in reply) reject(fromFailure(reply.failure));
    else resolve(reply.value as never);
  }

  private fail(error: Error): void {
    this.gone ??= error;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}
