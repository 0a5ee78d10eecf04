import { once } from 'node:events';
import type { Logger } from 'pino';
import { BoundedLog } from './bounded-log.js';
import { NAMESPACE, serverAddress, startDevServer, uiUrl } from './dev-server.js';
import { keepRunning } from './keep-running.js';
import { ManagedChild, type ManagedChildSpec } from './managed-child.js';
import { openStateFolder, stateFile, type StateFolder } from './state-folder.js';
import { SupervisorLink, SupervisorLock, type Phase } from './supervisor-lock.js';
import { sleepUnlessAborted } from './timing.js';

/** Long enough for an agent to finish its session calls (under 3 s each) and hand back its batches. */
const AGENT_GRACE_MS = 15_000;

/** Between two tries to become supervisor or follower, when the last one found neither or failed. */
const RETRY_MS = { gone: 50, failed: 2_000 } as const;

/** Where the embedded server is. */
export interface EmbeddedServer {
  /** gRPC, `127.0.0.1:<port>`; connect with `embeddedConnectionOptions`. The same for the folder's whole life. */
  address: string;
  uiUrl: string;
  namespace: string;
}

/** How supervision is going, as this process knows it. */
export interface SupervisionState {
  phase: Phase;
  isSupervisor: boolean;
  /** Why the server or agent is down. */
  detail?: string;
}

/** What {@link joinSupervision} needs. */
export interface JoinOptions {
  /** See `stateFolderPath`. */
  stateDir: string;
  /** Path from `findTemporalCli`. */
  temporalCli: string;
  /**
   * The agent to run beside the server if this process is or becomes the supervisor. It gets an IPC channel and must
   * exit on `parentGone`; its output goes to `agent.log` in the state folder. Asked again at every restart.
   */
  startAgent?: (server: EmbeddedServer) => ManagedChildSpec | undefined;
  log: Logger;
  onStateChange?: (state: SupervisionState) => void;
  /** Somebody stops the server ({@link stopServer}): what this process does shall end. Called once at most. */
  onStop?: () => void;
  /** Leaves as `close` does, also before the server serves. */
  signal?: AbortSignal;
}

/** This process's part in keeping the embedded server up. */
export interface Supervision extends EmbeddedServer {
  isSupervisor(): boolean;
  /**
   * Stops taking part. The supervisor ends its agent, then the server, then lets a follower take over; nothing of its
   * own is left running. Repeated calls return the same promise.
   */
  close(): Promise<void>;
}

/**
 * Joins the processes that keep the embedded Temporal of `stateDir` up, and returns once it serves. The first one in
 * is the supervisor: it runs server and agent. When it ends, however it ends, one of the others takes its place.
 * @throws OptionError when the state folder is not usable; ServerError when the server cannot be started or another
 * program holds a port; the signal's reason when it is aborted first.
 */
export async function joinSupervision(options: JoinOptions): Promise<Supervision> {
  const folder = await openStateFolder(options.stateDir);
  options.signal?.throwIfAborted();
  const member = new Member(folder, options);
  options.signal?.addEventListener('abort', () => void member.close(), { once: true });
  await member.join();
  return member;
}

class Member implements Supervision {
  readonly address: string;
  readonly uiUrl: string;
  readonly namespace = NAMESPACE;
  readonly #closing = new AbortController();
  #lock: SupervisorLock | undefined;
  #taking = Promise.resolve();
  #joined = false;
  #phase: Phase = 'starting';
  #dismissed = false;

  constructor(
    private readonly folder: StateFolder,
    private readonly options: JoinOptions,
  ) {
    this.address = serverAddress(folder);
    this.uiUrl = uiUrl(folder);
  }

  isSupervisor(): boolean {
    return this.#lock !== undefined;
  }

  /** Returns once the server serves; the part in supervision goes on until {@link close}. */
  join(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#taking = this.#takePart(() => {
        this.#joined = true;
        resolve();
      }).then(() => reject(this.options.signal?.reason as Error), reject);
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#taking;
  }

  async #takePart(ready: () => void): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const lock = await SupervisorLock.take(this.folder, () => this.#dismiss());
        if (lock) await this.#supervise(lock, ready);
        else await this.#follow(ready);
        await sleepUnlessAborted(RETRY_MS.gone, signal);
      } catch (error) {
        // Whoever has joined has a run to look after, and goes on trying.
        if (!this.#joined) throw error;
        this.#report('restarting', error);
        await sleepUnlessAborted(RETRY_MS.failed, signal);
      }
    }
  }

  /** Runs server and agent until this process leaves. Throws when the server's first start of all fails. */
  async #supervise(lock: SupervisorLock, ready: () => void): Promise<void> {
    const agent = new AbortController();
    const server = new AbortController();
    let agentKept: Promise<void> | undefined;
    this.#lock = lock;
    this.#report('starting');
    const serverKept = keepRunning(
      {
        start: () => startDevServer(this.options.temporalCli, this.folder, server.signal),
        up: () => {
          this.#report('ready');
          agentKept ??= this.#keepAgent(agent.signal);
          ready();
        },
        down: (why) => {
          if (!this.#joined) throw why;
          this.#report('restarting', why);
        },
      },
      server.signal,
    );
    try {
      await Promise.race([serverKept, aborted(this.#closing.signal)]);
    } finally {
      this.#report('stopping');
      agent.abort();
      await agentKept;
      server.abort();
      await serverKept.catch(() => {});
      await lock.release();
      this.#lock = undefined;
    }
  }

  async #keepAgent(signal: AbortSignal): Promise<void> {
    let down = false;
    const { startAgent } = this.options;
    const spec = startAgent?.(this);
    if (spec === undefined) return;
    await keepRunning(
      {
        start: async () => {
          const log = new BoundedLog(stateFile(this.folder.dir, 'agent.log'));
          const child = await ManagedChild.start(spec, { log: log.fd, ipc: true }).finally(() => log.close());
          this.options.log.debug({ pid: child.pid }, 'agent started');
          return { exited: child.exited, stop: () => child.stop(AGENT_GRACE_MS) };
        },
        up: () => {
          if (down) this.#report(this.#phase);
          down = false;
        },
        down: (why) => {
          this.#report(this.#phase, `the agent is down (${reason(why)}) and is started again`);
          down = true;
        },
      },
      signal,
    );
  }

  /** Follows the supervisor until it is gone or this process leaves. */
  async #follow(ready: () => void): Promise<void> {
    const link = await SupervisorLink.connect(this.folder, ({ phase, detail, leave }) => {
      if (leave) return this.#dismiss();
      this.#report(phase, detail);
      if (phase === 'ready') ready();
    });
    if (link === undefined) return;
    await Promise.race([link.closed, aborted(this.#closing.signal)]);
    link.disconnect();
  }

  #dismiss(): void {
    if (this.#dismissed) return;
    this.#dismissed = true;
    this.options.onStop?.();
  }

  /** Tells followers, log and caller. */
  #report(phase: Phase, why?: unknown): void {
    this.#phase = phase;
    const detail = why === undefined ? {} : { detail: reason(why) };
    this.#lock?.announce(phase, detail.detail);
    const state = { phase, isSupervisor: this.isSupervisor(), ...detail };
    this.options.log[why === undefined ? 'debug' : 'warn'](state, 'embedded Temporal: %s', phase);
    this.options.onStateChange?.(state);
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

function reason(why: unknown): string {
  return why instanceof Error ? why.message : String(why);
}
