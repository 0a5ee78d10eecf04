import { Worker } from 'node:worker_threads';
import { InternalError } from '../contract/failures.js';
import { type Block, memoryOf, splitBlock, type SplitBlock } from './split-block.js';

/**
 * Blocks that are split on the calling thread before others are started: a bacterial genome is done by the time that
 * another thread would be up and its code compiled.
 */
const BLOCKS_BEFORE_THREADS = 16;

interface Job {
  resolve: (result: SplitBlock) => void;
  reject: (error: unknown) => void;
}

/** Threads that run {@link splitBlock}. Which thread has a block makes no difference to what it becomes. */
export class SplitThreads {
  private readonly threads: { worker: Worker; jobs: Job[] }[] = [];
  private blocks = 0;

  /** @param most threads besides the calling one, which does all the work when it is 0. */
  constructor(private readonly most: number) {}

  /** Takes the block's room; its result has it. */
  async split(block: Block): Promise<SplitBlock> {
    this.blocks += 1;
    if (this.most === 0 || this.blocks <= BLOCKS_BEFORE_THREADS) return splitBlock(block);
    if (this.threads.length < this.most) this.start();
    const { worker, jobs } = this.threads.reduce((least, one) => (one.jobs.length < least.jobs.length ? one : least));
    return new Promise((resolve, reject) => {
      jobs.push({ resolve, reject });
      worker.postMessage(block, memoryOf(block.room));
    });
  }

  /** Ends the threads, whatever they are at. */
  async close(): Promise<void> {
    await Promise.all(this.threads.map(({ worker }) => worker.terminate()));
  }

  private start(): void {
    // Flags of the process are not for it: those of a program in text would end it.
    const worker = new Worker(new URL('./split-thread-worker.js', import.meta.url), { execArgv: [] });
    const jobs: Job[] = [];
    const fail = (error: unknown): void => jobs.splice(0).forEach(({ reject }) => reject(error));
    worker.on('message', (result: SplitBlock) => jobs.shift()!.resolve(result));
    worker.on('error', fail);
    worker.on('exit', () => fail(new InternalError('a thread ended before it had split its blocks')));
    this.threads.push({ worker, jobs });
  }
}
