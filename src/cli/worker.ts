import { availableParallelism, hostname } from 'node:os';
import { isIP } from 'node:net';
import { Command, Option } from 'commander';
import { OptionError } from '../contract/failures.js';
import { ROLES, type Role } from '../workers/roles.js';
import { type NamedDevice, parseDeviceList } from './choose-devices.js';
import { wholeNumber } from './whole-number.js';

/** Parsed options of `worker`. */
export interface WorkerOptions {
  roles: Role[];
  devices: NamedDevice[];
  cpuLanes: number;
  threads: number;
  host: string;
  /** IP address and port where Prometheus finds its metrics. */
  metrics?: string;
}

/** `virnucpro worker`: this host's agent, until SIGTERM or SIGINT. */
export function workerCommand(): Command {
  return new Command('worker')
    .description('serve a Temporal service with this host: workflows, CPU activities, lanes')
    .option('--roles <list>', `comma-separated, of ${ROLES.join(', ')}`, parseRoles, [...ROLES])
    .option(
      '--devices <list>',
      'what its lanes run on, comma-separated, e.g. cpu,cuda:0,cuda:1 or webgpu:0',
      parseDeviceList,
      [{ kind: 'cpu' as const }],
    )
    .option(
      '--cpu-lanes <n>',
      'CPU lanes that this host offers, if cpu is among --devices',
      wholeNumber('--cpu-lanes', { min: 1, max: 1024 }),
      1,
    )
    .option(
      '--threads <n>',
      'CPU threads that all lanes share',
      wholeNumber('--threads', { min: 1, max: 1024 }),
      availableParallelism(),
    )
    .option('--host <name>', 'name of this host in queues and progress, one of its own for each agent', hostname())
    .addOption(
      new Option('--metrics <ip:port>', 'serve Prometheus metrics there, at /metrics; e.g. 127.0.0.1:9464')
        .env('VIRNUCPRO_METRICS')
        .argParser(parseMetricsAddress),
    )
    .action(async (options: WorkerOptions) => {
      const { runWorker } = await import('./worker-run.js');
      await runWorker(options);
    });
}

function parseMetricsAddress(address: string): string {
  const [, v6, v4, port] = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(address) ?? [];
  if (isIP(v6 ?? v4 ?? '') !== 0 && Number(port) >= 1 && Number(port) <= 65_535) return address;
  throw new OptionError({
    what: `--metrics is "${address}", allowed are an IP address and a port`,
    next: 'Give e.g. 127.0.0.1:9464, or 0.0.0.0:9464 where other machines shall read it',
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
