import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';

const MAIN = path.resolve('dist/src/cli/main.js');
const OTHER_BUILD = path.resolve('dist/test/support/faults/other-build-agent.js');

/** What a host's agent serves, and as whom. */
export interface AgentOptions {
  host: string;
  roles?: string;
  cpuLanes?: number;
  /** As `--devices` takes them; default the CPU. */
  devices?: string;
  /** With workflow code that cannot replay ours, nor be replayed by ours; all roles, two CPU lanes. */
  otherBuild?: boolean;
}

/** A host of its own on this machine: `virnucpro worker` in a process that ends with the test. */
export class AgentProcess {
  /** Resolves with its exit code, null when a signal ended it. */
  readonly exited: Promise<number | null>;
  private readonly child: ChildProcess;

  constructor(
    { host, roles = 'lanes', cpuLanes = 2, devices = 'cpu', otherBuild = false }: AgentOptions,
    env: NodeJS.ProcessEnv,
    logFile: string,
  ) {
    const log = openSync(logFile, 'a');
    const lanes = ['--devices', devices, '--cpu-lanes', `${cpuLanes}`, '--threads', `${cpuLanes}`];
    const args = otherBuild ? [OTHER_BUILD, host] : [MAIN, 'worker', '--host', host, '--roles', roles, ...lanes];
    // The channel makes it end with this process.
    this.child = spawn(process.execPath, args, { env, stdio: ['ignore', log, log, 'ipc'] });
    closeSync(log);
    this.exited = once(this.child, 'exit').then(([code]) => code as number | null);
  }

  get pid(): number {
    return this.child.pid!;
  }

  async kill(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }
}
