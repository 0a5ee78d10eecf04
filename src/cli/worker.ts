import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { OptionError } from '../contract/failures.js';
import { cpuDevices } from '../workers/cpu-devices.js';
import { connectWorker } from '../workers/connection.js';
import { parentGone } from '../server/managed-child.js';
import { HostAgent, ROLES, type Role } from '../workers/host-agent.js';
import { createLog, installRuntime } from '../workers/log.js';
import { wholeNumber } from './whole-number.js';

/** `virnucpro worker`: this host's agent, until SIGTERM or SIGINT. */
export function workerCommand(): Command {
  return new Command('worker')
    .description('serve a Temporal service with this host: workflows, CPU activities, lanes')
    .option('--roles <list>', `comma-separated, of ${ROLES.join(', ')}`, parseRoles, [...ROLES])
    .option('--cpu-lanes <n>', 'CPU lanes that this host offers', wholeNumber('--cpu-lanes', { min: 1, max: 1024 }), 1)
    .option(
      '--threads <n>',
      'CPU threads that all lanes share',
      wholeNumber('--threads', { min: 1, max: 1024 }),
      availableParallelism(),
    )
    .action(async (options: { roles: Role[]; cpuLanes: number; threads: number }) => {
      const log = createLog({ role: 'agent' });
      installRuntime(log);
      const stop = new AbortController();
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
      const supervised = process.send !== undefined;
      let working = true;
      // Started by a supervisor, it goes when the supervisor goes; lanes notice in turn.
      if (supervised) void parentGone().then(() => working && process.kill(process.pid, 'SIGKILL'));

      const connection = await connectWorker(log, stop.signal);
      try {
        const agent = await HostAgent.create({
          roles: options.roles,
          devices: cpuDevices(options.cpuLanes, options.threads),
          connection,
          log,
        });
        stop.signal.addEventListener('abort', () => agent.shutdown(), { once: true });
        if (stop.signal.aborted) agent.shutdown();
        await agent.run();
        log.info('agent stopped');
      } finally {
        working = false;
        await connection.connection.close();
        if (process.connected) process.disconnect();
      }
    });
}

function parseRoles(list: string): Role[] {
  return list.split(',').map((name) => {
    const role = ROLES.find((known) => known === name.trim());
    if (role === undefined) {
      throw new OptionError({
        what: `--roles has "${name}", allowed are ${ROLES.join(', ')}`,
        next: 'Give one or more of them, separated by commas',
      });
    }
    return role;
  });
}
