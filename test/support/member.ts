import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** One line of fixture-member. */
export interface MemberEvent {
  event: 'state' | 'joined' | 'failed' | 'closed' | 'interrupted';
  phase?: string;
  isSupervisor?: boolean;
  ms?: number;
  address?: string;
  name?: string;
  message?: string;
}

/** A running fixture-member process. */
export class MemberProcess {
  readonly events: MemberEvent[] = [];
  readonly exited: Promise<unknown>;
  readonly #process: ChildProcess;
  #heard: () => void = () => {};

  constructor(stateDir: string, temporalCli: string, marks: string, env: NodeJS.ProcessEnv = {}) {
    const program = fileURLToPath(new URL('./fixture-member.js', import.meta.url));
    // In a process group of its own, as a shell would put it.
    this.#process = spawn(process.execPath, [program, stateDir, temporalCli, marks], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
      detached: true,
    });
    this.exited = once(this.#process, 'exit');
    createInterface({ input: this.#process.stdout! }).on('line', (line) => {
      this.events.push(JSON.parse(line) as MemberEvent);
      this.#heard();
    });
  }

  get pid(): number {
    return this.#process.pid!;
  }

  /** The first event from `from` on that `matches`. */
  async event(matches: (event: MemberEvent) => boolean, from = 0): Promise<MemberEvent> {
    for (;;) {
      const found = this.events.slice(from).find(matches);
      if (found) return found;
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }

  joined(): Promise<MemberEvent> {
    return this.event(({ event }) => event === 'joined' || event === 'failed');
  }

  async close(): Promise<MemberEvent> {
    this.#process.stdin!.write('close\n');
    const closed = await this.event(({ event }) => event === 'closed');
    await this.exited;
    return closed;
  }

  /** Ctrl-C on its terminal. */
  interruptGroup(): void {
    process.kill(-this.pid, 'SIGINT');
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.exited;
  }
}
