import { once } from 'node:events';
import { Command } from 'commander';
import type { Logger } from 'pino';
import { cacheFolderPath, stateFolderPath } from '../io/user-folders.js';
import { ownCores } from '../workers/cpu-affinity.js';
import { usableGpus } from './choose-devices.js';
import { TableCommand } from './options/table-command.js';

const tables = () => import('./options/server-tables.js');

/** `virnucpro server start|stop|status|install`: the embedded Temporal by itself. */
export function serverCommand(): Command {
  const server = new Command('server').description('the embedded Temporal server of this machine');

  const start = new TableCommand('start', async () => (await tables()).SERVER_START_OPTIONS)
    .description('keep server and agent running until Ctrl-C: shows finished runs in the web UI again')
    .runs(async ({ temporalCli, lanes, threads, cpuBind, devices }) => {
      // Throws where lanes cannot be bound.
      if (cpuBind) await ownCores();
      const gpus = await usableGpus(devices);
      const [{ joinSupervision }, { agentCommand }, cli] = await Promise.all([
        import('../server/supervisor.js'),
        import('./embedded-run.js'),
        findCli(temporalCli, await messages()),
      ]);
      const stop = new AbortController();
      const stopped = once(stop.signal, 'abort');
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop.abort());
      const supervision = await joinSupervision({
        stateDir: stateFolderPath(),
        temporalCli: cli,
        // A predict that joins later relies on the supervisor's agent.
        startAgent: (embedded) => agentCommand(embedded, { lanes, threads, cpuBind, gpus }),
        log: await messages('warn'),
        onStop: () => stop.abort(),
        signal: stop.signal,
      }).catch((error: unknown) => {
        if (!stop.signal.aborted) throw error;
      });
      if (supervision === undefined) return;
      console.log(`Temporal server  ${supervision.address} (namespace ${supervision.namespace})`);
      console.log(`Web UI           ${supervision.uiUrl}`);
      console.log(
        supervision.isSupervisor() ? 'Ctrl-C stops it.' : 'Another virnucpro runs it; Ctrl-C leaves it there.',
      );
      await stopped;
      await supervision.close();
    });

  const stop = new TableCommand('stop', async () => (await tables()).SERVER_STOP_OPTIONS)
    .description('end server, agent and lanes of this machine, whichever command runs them')
    .runs(async ({ force }) => {
      const { stop } = await import('./server-stop.js');
      await stop(force);
    });

  const status = new TableCommand('status', async () => (await tables()).SERVER_STATUS_OPTIONS)
    .description('is it running? Exit code 0: yes, 1: no')
    .runs(async ({ json }) => {
      const { serverStatus } = await import('../server/status.js');
      const status = await serverStatus(stateFolderPath());
      if (json) console.log(JSON.stringify(status));
      else if (!status.running) console.log(`not running (state folder ${status.stateDir})`);
      else {
        console.log(`${status.phase}, supervised by process ${status.supervisorPid}`);
        console.log(`Temporal server  ${status.address}`);
        console.log(`Web UI           ${status.uiUrl}`);
        console.log(`State folder     ${status.stateDir}`);
      }
      process.exitCode = status.running ? 0 : 1;
    });

  const install = new TableCommand('install', async () => (await tables()).SERVER_INSTALL_OPTIONS)
    .description('find the Temporal CLI, or download or build it into the cache')
    .runs(async ({ temporalCli }) => console.log(await findCli(temporalCli, await messages())));

  [start, stop, status, install].forEach((command) => server.addCommand(command));
  return server;
}

// Loaded when needed, as all that other commands do without: the Temporal client takes longer to load than most take to run.
async function findCli(flag: string | undefined, log: Logger): Promise<string> {
  const { findTemporalCli } = await import('../server/temporal-cli.js');
  return findTemporalCli({ ...(flag !== undefined && { flag }), cacheDir: cacheFolderPath(), log });
}

/** Log messages as plain lines on stderr. */
async function messages(level = 'info'): Promise<Logger> {
  const { pino } = await import('pino');
  const write = (line: string): boolean => {
    const { msg, detail } = JSON.parse(line) as { msg: string; detail?: string };
    return process.stderr.write(detail === undefined ? `${msg}\n` : `${msg}: ${detail}\n`);
  };
  return pino({ level }, { write });
}
