import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Device, deviceName } from '../contract/devices.js';
import { LaneLost, ModelError } from '../contract/failures.js';
import type { LaneOffer } from '../contract/leases.js';
import type { LeasedLane } from '../activities/hold-lane.js';
import type { FromLane, ToLane } from './lane-protocol.js';
import type { Logger } from './log.js';

const LANE_PROCESS = fileURLToPath(new URL('./lane-process.js', import.meta.url));

/** Time that a lane asked to stop has for the model call under way, before it is killed. */
const STOP_GRACE_MS = 10_000;

/** An agent's hold on one lane process: start it with its device pinned, give it queues, end it. */
export class LaneHandle implements LeasedLane {
  private readonly child: ChildProcess;
  private readonly log: Logger;
  private readonly waiting: Array<(message: FromLane) => void> = [];
  readonly exited: Promise<string>;
  private ended = false;
  onParked: () => void = () => {};

  constructor(
    readonly device: Device,
    readonly offer: LaneOffer,
    log: Logger,
    env: NodeJS.ProcessEnv,
  ) {
    const title = `virnucpro-lane ${offer.stage} ${deviceName(device)}`;
    this.child = fork(LANE_PROCESS, [title], {
      env: pinnedEnvironment(env, device),
      execArgv: ['--enable-source-maps'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.log = log.child({ stage: offer.stage, lane: deviceName(device), lanePid: this.child.pid });
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        this.ended = true;
        this.log.info({ code, signal }, 'lane closed');
        resolve(`process ended with ${signal ?? `exit code ${code}`}`);
      });
    });
    this.child.on('error', (error) => this.log.error({ error: String(error) }, 'lane process error'));
    this.child.on('message', (message: FromLane) => {
      if (message.op === 'parked') this.onParked();
      for (const waiter of [...this.waiting]) waiter(message);
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get alive(): boolean {
    return !this.ended;
  }

  /**
   * Loads the model. Resolves with the seconds that took.
   * @throws ModelError when it cannot be loaded by anyone, LaneLost when the process died.
   */
  async start(): Promise<number> {
    const { stage, model, persistent, heartbeatMs } = this.offer;
    this.log.info({}, 'lane started');
    const warm = await this.ask(
      { op: 'start', stage, model, persistent, heartbeatMs, threads: this.device.threads },
      'warm',
    );
    this.log.info({ loadSeconds: warm.loadSeconds, rssBytes: warm.rssBytes }, 'lane warm');
    return warm.loadSeconds;
  }

  /** Has the lane serve `queue`. */
  async open(queue: string): Promise<void> {
    await this.ask({ op: 'open', queue }, 'opened');
  }

  /** Has the lane stop serving; its model stays loaded. */
  async close(): Promise<void> {
    const { rssBytes } = await this.ask({ op: 'close' }, 'closed');
    this.log.info({ rssBytes }, 'lane released');
  }

  /** Ends the process: politely first, by SIGKILL when a call does not return in time. */
  async stop(): Promise<void> {
    if (this.alive && this.child.connected) this.child.send({ op: 'stop' } satisfies ToLane, () => {});
    const killer = setTimeout(() => this.kill(), STOP_GRACE_MS);
    await this.exited;
    clearTimeout(killer);
  }

  /** Ends the process at once. */
  kill(): void {
    this.child.kill('SIGKILL');
  }

  private async ask<Op extends FromLane['op']>(message: ToLane, answer: Op): Promise<FromLane & { op: Op }> {
    let waiter: (message: FromLane) => void = () => {};
    const answered = new Promise<FromLane & { op: Op }>((resolve, reject) => {
      waiter = (received) => {
        if (received.op === answer) resolve(received as FromLane & { op: Op });
        if (received.op === 'failed') reject(this.failure(received.type, received.message));
      };
    });
    const died = this.exited.then((reason) => {
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
    return type === 'ModelError'
      ? new ModelError({ what: message, where, next: 'Check the model' })
      : new LaneLost({ what: message, where, next: 'Its batches move to another lane' });
  }
}

/** The environment of a lane's process: it sees exactly its own device. */
function pinnedEnvironment(env: NodeJS.ProcessEnv, device: Device): NodeJS.ProcessEnv {
  const visible = env['CUDA_VISIBLE_DEVICES']?.split(',') ?? [];
  const pinned = device.kind === 'cuda' ? (visible[device.index] ?? String(device.index)) : '';
  return { ...env, CUDA_VISIBLE_DEVICES: pinned };
}
