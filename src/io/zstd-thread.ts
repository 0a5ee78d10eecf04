import { Worker } from 'node:worker_threads';
import { InternalError } from '../contract/failures.js';
import type { Unpacked, ZstdBlocks } from './zstd-blocks.js';

/**
 * The thread's time is counted in ticks, each of which sees what it has sent: a process that was stopped, or whose calling
 * thread was busy with the answer in its queue, has lost one, however long that was.
 */
const TICK_MS = 1_000;

/**
 * Ticks that a file may be behind: each block brings one. A block is unpacked in milliseconds, on the busiest machine that was
 * seen in a fifth of a second; those that were made to say that they hold gigabytes take minutes.
 */
const MOST_TICKS = 10;

/** What the thread is told. */
export interface ZstdCall {
  op: keyof ZstdBlocks;
  packed: Uint8Array;
}

/** {@link ZstdBlocks} on a thread, for that can be ended while it is at a block. Takes one call at a time. */
export class ZstdThread {
  /** Without the process's flags: it needs none, and of those for a program in text it dies. */
  private readonly worker = new Worker(new URL('./zstd-thread-worker.js', import.meta.url), { execArgv: [] });
  private waiting: { resolve: (unpacked: Unpacked) => void; reject: (error: Error) => void } | undefined;
  /** Why the thread is gone, if it is. */
  private gone: InternalError | undefined;

  private ticksLeft = MOST_TICKS;

  /** Starting the thread is not counted. */
  constructor(private readonly tickMs = TICK_MS) {
    this.worker.on('message', (unpacked: Unpacked) => this.waiting?.resolve(unpacked));
    this.worker.on('error', ({ message }: Error) => this.fail(message));
    this.worker.on('exit', () => this.fail('it ended'));
  }

  startFrame(header: Uint8Array): Promise<Unpacked> {
    return this.call('startFrame', header);
  }

  async unpack(block: Uint8Array): Promise<Unpacked> {
    this.ticksLeft = Math.min(this.ticksLeft + 1, MOST_TICKS);
    const clock = setInterval(() => {
      this.ticksLeft -= 1;
      if (this.ticksLeft === 0) this.waiting?.resolve({ damage: 'a block that never ends' });
    }, this.tickMs);
    try {
      return await this.call('unpack', block);
    } finally {
      clearInterval(clock);
    }
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  /** @throws InternalError when the thread ends before it has answered. */
  private call(op: ZstdCall['op'], bytes: Uint8Array): Promise<Unpacked> {
    const packed = new Uint8Array(bytes);
    return new Promise((resolve, reject) => {
      if (this.gone !== undefined) return reject(this.gone);
      this.waiting = { resolve, reject };
      this.worker.postMessage({ op, packed } satisfies ZstdCall, [packed.buffer]);
    });
  }

  private fail(how: string): void {
    this.gone ??= new InternalError(`the thread that unpacks zstd is gone: ${how}`);
    this.waiting?.reject(this.gone);
  }
}
