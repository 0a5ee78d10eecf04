import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LaneExit, LeasedLane } from '../activities/hold-lane.js';
import { START_LIMIT_MS } from '../contract/defaults.js';
import { type Device, deviceName } from '../contract/devices.js';
import { LaneLost, ModelError } from '../contract/failures.js';
import type { LaneOffer, RunningBatch } from '../contract/leases.js';
import { pinnedEnvironment } from '../inference/pinned-environment.js';
import { boundTo } from './cpu-affinity.js';
import type { HostMetrics, LaneMetrics, LossCause } from './host-metrics.js';
import type { FromLane, ToLane } from './lane-protocol.js';
import type { Logger } from './log.js';
import { oomKilledSince } from './oom-kills.js';

const LANE_PROCESS = fileURLToPath(new URL('./lane-process.js', import.meta.url));

/** Time that a lane asked to stop has for the model call under way, before it is killed. */
const STOP_GRACE_MS = 10_000;

/** Pings that a process may leave unanswered; a count, so that a suspended machine wakes up to living lanes. */
const UNANSWERED_PINGS = 3;

/**
 * Has what a batch used go back to the host. glibc's malloc keeps an arena for each thread and ever more free memory in it,
 * V8 lets new objects fill 16 MB three times over: together a fifth of a small lane, that grows for hundreds of batches.
 */
const STEADY_MEMORY = {
  env: { MALLOC_ARENA_MAX: '2', MALLOC_TRIM_THRESHOLD_: String(2 ** 20) },
  node: ['--expose-gc', '--max-semi-space-size=2'],
};

/** Signals that a process brings on itself; SIGKILL and SIGTERM come from outside. */
const OWN_SIGNALS = new Set(['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGSYS', 'SIGTRAP']);

/** An agent's hold on one lane process: start it with its device pinned, give it queues, watch it, end it. */
export class LaneHandle implements LeasedLane {
  readonly exited: Promise<LaneExit>;
  onParked: () => void = () => {};
  private readonly child: ChildProcess;
  private readonly metrics: LaneMetrics;
  private log: Logger;
  private readonly waiting: Array<(message: FromLane) => void> = [];
  private pings: NodeJS.Timeout;
  private ended = false;
  /** Pings since the last sign of life; counted from the first one on, since a process answers none while it loads. */
  private unanswered: number | undefined;
  private running: RunningBatch | undefined;
  private worked = false;
  /** Its end was asked for: it is no loss. */
  private stopping = false;
  private failed = false;
  /** Why the agent itself killed it, if it did. */
  private verdict: { reason: string; charge: boolean; cause: 'hung' | 'sick' } | undefined;

  constructor(
    readonly device: Device,
    readonly offer: LaneOffer,
    private readonly agentLog: Logger,
    env: NodeJS.ProcessEnv,
    metrics: Pick<HostMetrics, 'lane'>,
    program = LANE_PROCESS,
  ) {
    const title = `virnucpro-lane ${offer.stage} ${deviceName(device)}`;
    const node = device.cpus === undefined ? [process.execPath] : boundTo(device.cpus, process.execPath);
    this.child = fork(program, [title], {
      env: pinnedEnvironment({ ...STEADY_MEMORY.env, ...env }, device),
      execPath: node[0],
      execArgv: [...node.slice(1), '--enable-source-maps', ...STEADY_MEMORY.node],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.metrics = metrics.lane(device, offer.stage);
    this.log = this.logOf(offer);
    this.child.on('message', (message: FromLane) => this.hear(message));
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => void this.describeExit(code, signal).then(resolve));
      this.child.on('error', (error) => {
        this.log.error({ error: String(error) }, 'lane process error');
        // One that never ran does not exit either.
        if (this.child.pid === undefined) void this.describeExit(1, null).then(resolve);
      });
    });
    this.pings = this.pingEvery(offer);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get alive(): boolean {
    return !this.ended;
  }

  async start(): Promise<number> {
    const { model, persistent, tokensPerCall } = this.offer;
    this.log.info({}, 'lane started');
    const limit = setTimeout(
      () =>
        this.condemn({
          reason: `the model did not load in ${START_LIMIT_MS / 60_000} minutes`,
          charge: false,
          cause: 'hung',
        }),
      START_LIMIT_MS,
    );
    const { kind: device, threads } = this.device;
    const start: ToLane = { op: 'start', model, device, threads, persistent, ...(tokensPerCall && { tokensPerCall }) };
    const warm = await this.ask(start, 'warm').finally(() => clearTimeout(limit));
    this.log.info({ loadSeconds: warm.loadSeconds, rssBytes: warm.rssBytes }, 'lane warm');
    if (warm.loadSeconds > 0) this.metrics.loaded();
    return warm.loadSeconds;
  }

  async open(queue: string, offer: LaneOffer): Promise<void> {
    clearInterval(this.pings);
    if (this.alive) this.pings = this.pingEvery(offer);
    this.log = this.logOf(offer);
    const { rssBytes } = await this.ask({ op: 'open', queue }, 'opened');
    this.metrics.state('up');
    this.log.info({ queue, rssBytes }, 'lane serves');
  }

  async close(): Promise<void> {
    await this.ask({ op: 'close' }, 'closed');
    this.metrics.state('warm');
  }

  /** Ends the process: politely first, by SIGKILL when a call does not return in time. */
  async stop(): Promise<void> {
    this.stopping = true;
    if (this.child.connected) this.child.send({ op: 'stop' } satisfies ToLane, () => {});
    const killer = setTimeout(() => this.kill(), STOP_GRACE_MS);
    await this.exited;
    clearTimeout(killer);
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  private logOf({ stage, lease }: LaneOffer): Logger {
    return this.agentLog.child({ stage, lane: deviceName(this.device), lease, lanePid: this.child.pid });
  }

  private pingEvery({ heartbeatMs }: LaneOffer): NodeJS.Timeout {
    return setInterval(() => this.ping(), heartbeatMs / 3);
  }

  private hear(message: FromLane): void {
    this.unanswered = 0;
    if (message.op === 'parked') this.onParked();
    if (message.op === 'running') {
      if (message.batch === undefined) this.worked = true;
      this.running = message.batch;
    }
    if (message.op === 'finished') this.metrics.finished(message.batch);
    if (message.op === 'failed') this.failed = true;
    // Parked or asked to end: what its stage has left in memory.
    if (message.op === 'closed') this.log.info({ rssBytes: message.rssBytes }, 'lane released');
    if (message.op === 'stalled') this.condemn({ reason: 'a model call does not return', charge: true, cause: 'hung' });
    if (message.op === 'sick') this.condemn({ reason: message.message, charge: false, cause: 'sick' });
    for (const waiter of [...this.waiting]) waiter(message);
  }

  /** A process that is stopped or hung on its main thread answers no ping: nobody's batch is to blame. */
  private ping(): void {
    if (this.unanswered !== undefined) {
      if (this.unanswered >= UNANSWERED_PINGS) {
        return this.condemn({ reason: 'the lane process does not answer', charge: false, cause: 'hung' });
      }
      this.unanswered += 1;
    }
    if (this.child.connected) this.child.send({ op: 'ping' } satisfies ToLane, () => {});
  }

  private condemn(verdict: NonNullable<typeof this.verdict>): void {
    if (this.verdict !== undefined) return;
    this.verdict = verdict;
    this.log.warn({ reason: verdict.reason }, 'lane is killed');
    this.kill();
  }

  private async describeExit(code: number | null, signal: NodeJS.Signals | null): Promise<LaneExit> {
    this.ended = true;
    clearInterval(this.pings);
    const outOfMemory = signal === 'SIGKILL' && (await oomKilledSince());
    const itself = signal === null ? code !== 0 : OWN_SIGNALS.has(signal);
    const charge = this.verdict?.charge ?? (itself || outOfMemory);
    const reason =
      this.verdict?.reason ??
      `process ended with ${signal ?? `exit code ${code}`}${outOfMemory ? ' (out of memory)' : ''}`;
    this.log.info({ code, signal, reason, running: this.running }, 'lane closed');
    this.metrics.state(undefined);
    if (!this.stopping) this.metrics.lost(this.lossCause(itself, outOfMemory));
    return {
      reason,
      sick: this.verdict?.cause === 'sick',
      ...(this.running === undefined ? {} : { running: this.running }),
      worked: this.worked,
      charge,
    };
  }

  private lossCause(itself: boolean, outOfMemory: boolean): LossCause {
    if (this.verdict !== undefined) return this.verdict.cause;
    if (outOfMemory) return 'memory';
    return itself || this.failed ? 'crash' : 'killed';
  }

  private async ask<Op extends FromLane['op']>(message: ToLane, answer: Op): Promise<FromLane & { op: Op }> {
    let waiter: (message: FromLane) => void = () => {};
    const answered = new Promise<FromLane & { op: Op }>((resolve, reject) => {
      waiter = (received) => {
        if (received.op === answer) resolve(received as FromLane & { op: Op });
        if (received.op === 'failed') reject(this.failure(received.type, received.message));
      };
    });
    const died = this.exited.then(({ reason }) => {
      throw this.failure('LaneLost', reason);
    });
    died.catch(() => {});
    this.waiting.push(waiter);
    try {
      if (this.child.connected) this.child.send(message, () => {});
      return await Promise.race([answered, died]);
    } finally {
      this.waiting.splice(this.waiting.indexOf(waiter), 1);
    }
  }

  private failure(type: string, message: string): Error {
    const where = `lane ${this.offer.stage} ${deviceName(this.device)}, pid ${this.pid}`;
    if (type === 'ModelError') return new ModelError({ what: message, where, next: 'Check the model' });
    return new LaneLost({ what: message, where, next: 'Its batches move to another lane' });
  }
}
