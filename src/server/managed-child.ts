import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { settledWithin } from './timing.js';

/** A process that lives and dies with the process that starts it. */
export interface ManagedChildSpec {
  command: string;
  args: readonly string[];
  /** Its whole environment; default this process's. */
  env?: NodeJS.ProcessEnv;
}

const alive = new Set<ManagedChild>();
process.on('exit', () => {
  for (const child of alive) child.kill();
});

/**
 * A child in a session of its own: Ctrl-C on the terminal reaches only its parent, which decides. It dies with its
 * parent even when that is killed with SIGKILL (on Linux by the kernel's parent-death signal; a child with an IPC
 * channel must exit on {@link parentGone}). Its own children go with it.
 */
export class ManagedChild {
  readonly pid: number;
  /** Settles, never rejects, with how it ended: `exit code 1`, `signal SIGKILL`. */
  readonly exited: Promise<string>;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, pid: number) {
    this.#process = process;
    this.pid = pid;
    alive.add(this);
    this.exited = once(process, 'exit').then((exit) => {
      const [code, signal] = exit as [number | null, NodeJS.Signals | null];
      // What it started must not outlive it.
      this.kill();
      alive.delete(this);
      return signal ? `signal ${signal}` : `exit code ${code}`;
    });
  }

  /**
   * @param log file descriptor for its stdout and stderr.
   * @param ipc whether it gets a Node.js IPC channel.
   * @throws the system's error when the command cannot be started.
   */
  static async start(spec: ManagedChildSpec, { log, ipc }: { log: number; ipc: boolean }): Promise<ManagedChild> {
    const [command, ...args] = [...tiedToParent(), spec.command, ...spec.args] as [string, ...string[]];
    const stdio: StdioOptions = ipc ? ['ignore', log, log, 'ipc'] : ['ignore', log, log];
    const child = spawn(command, args, { env: spec.env ?? process.env, stdio, detached: true });
    await once(child, 'spawn');
    return new ManagedChild(child, child.pid as number);
  }

  /** Asks it to end with SIGTERM and ends it with SIGKILL when that takes longer than `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#process.kill('SIGTERM');
    if (!(await settledWithin(this.exited, graceMs))) this.kill();
    await this.exited;
  }

  /** SIGKILL to it and all it started. */
  kill(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // Its process group is empty already.
    }
  }
}

/** For a child with an IPC channel: settles once its parent is gone, however it ended. */
export async function parentGone(): Promise<void> {
  // It may have gone while this process was still loading.
  if (process.connected) await once(process, 'disconnect');
}

let tie: readonly string[] | undefined;

/** Command prefix that makes the kernel kill the child when this process dies. Empty where there is no such command. */
function tiedToParent(): readonly string[] {
  if (tie === undefined) {
    const prefix = ['setpriv', '--pdeathsig', 'SIGKILL'];
    // BusyBox has a setpriv without this option.
    const works = process.platform === 'linux' && spawnSync('setpriv', [...prefix.slice(1), 'true']).status === 0;
    tie = works ? prefix : [];
  }
  return tie;
}
