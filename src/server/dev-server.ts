import { readFile, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, type ConnectionOptions } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { ServerError } from '../contract/failures.js';
import { SEARCH_ATTRIBUTES } from '../contract/search-attributes.js';
import { BoundedLog } from './bounded-log.js';
import { ManagedChild } from './managed-child.js';
import { isFree, isListening, LOOPBACK } from './ports.js';
import { stateFile, type StateFolder } from './state-folder.js';
import { sleepUnlessAborted } from './timing.js';

/** The only namespace of the embedded server. */
export const NAMESPACE = 'default';

/** Closed runs stay in the UI this long (the development server's own default is one day). */
const RETENTION = '30 days';

const DYNAMIC_CONFIG = [
  // With the default of 4 partitions a queue, a lane with one poller waits up to 1.6 s for a task.
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
  // Task priorities; default from server 1.32 on.
  'matching.useNewMatcher=true',
  // `temporal worker list`; default from server 1.32 on.
  'frontend.WorkerHeartbeatsEnabled=true',
  'frontend.ListWorkersEnabled=true',
];

const SQLITE_PRAGMAS = [
  'journal_mode=WAL',
  'synchronous=NORMAL',
  // A second server on the same file ends at once, also from another container; two would damage it.
  'locking_mode=EXCLUSIVE',
];

/** The first start makes the tables; 0.3 s on an idle machine. */
const START_TIMEOUT_MS = 60_000;

/** A stop takes 1.1-1.6 s. */
const STOP_GRACE_MS = 5_000;

/** How long a server whose supervisor was killed may take to go. */
const ORPHAN_GRACE_MS = 3_000;

const POLL_MS = 20;

/** Lines of its log: a panic of the server prints some 100 below its reason. */
const LAST_WORDS = 200;

/** gRPC address of a folder's server. */
export function serverAddress(folder: StateFolder): string {
  return `${LOOPBACK}:${folder.ports.server}`;
}

/** Web UI of a folder's server. */
export function uiUrl(folder: StateFolder): string {
  return `http://${LOOPBACK}:${folder.ports.ui}`;
}

/** For `Connection.connect` to the embedded server: never through the proxy that `http_proxy` names. */
export function embeddedConnectionOptions(address: string): ConnectionOptions {
  return { address, channelArgs: { 'grpc.enable_http_proxy': 0 } };
}

/** A running, ready Temporal development server on the folder's database and ports. */
export interface DevServer {
  pid: number;
  /** Settles with how it ended. */
  exited: Promise<string>;
  /** SIGTERM, after a grace SIGKILL. */
  stop(): Promise<void>;
}

/**
 * Starts the server and returns once it serves: about 0.3 s. Only the supervisor of `folder` may call this.
 * @throws ServerError when a port is taken, the database is locked or damaged, or the server ends or does not serve.
 */
export async function startDevServer(
  temporalCli: string,
  folder: StateFolder,
  signal: AbortSignal,
): Promise<DevServer> {
  await claimPorts(folder);
  const log = new BoundedLog(stateFile(folder.dir, 'server.log'));
  const child = await ManagedChild.start(
    { command: temporalCli, args: startArguments(folder) },
    { log: log.fd, ipc: false },
  ).catch((error: unknown) => {
    log.close();
    throw new ServerError({
      what: `the Temporal CLI cannot be started: ${(error as Error).message}`,
      where: temporalCli,
      next: 'Run `virnucpro server install`',
      cause: error,
    });
  });
  const ended = child.exited.then((how) => {
    const lastWords = log.tail(LAST_WORDS);
    log.close();
    return { how, lastWords };
  });
  await writeFile(stateFile(folder.dir, 'server.json'), JSON.stringify({ pid: child.pid }) + '\n');

  const gone = new AbortController();
  void ended.then(() => gone.abort());
  const timeout = AbortSignal.timeout(START_TIMEOUT_MS);
  const given = AbortSignal.any([signal, timeout, gone.signal]);
  while (!given.aborted) {
    if (await serves(folder)) return { pid: child.pid, exited: child.exited, stop: () => child.stop(STOP_GRACE_MS) };
    await sleepUnlessAborted(POLL_MS, given);
  }
  const diedByItself = gone.signal.aborted;
  await child.stop(STOP_GRACE_MS);
  signal.throwIfAborted();
  const { how, lastWords } = await ended;
  throw startFailure(
    diedByItself ? `ended with ${how}` : `did not serve within ${START_TIMEOUT_MS / 1000} s`,
    lastWords,
    folder,
  );
}

function startArguments(folder: StateFolder): string[] {
  return [
    ...['server', 'start-dev', '--disable-config-file', '--disable-config-env', '--log-level', 'error'],
    ...['--ip', LOOPBACK, '--port', `${folder.ports.server}`, '--ui-port', `${folder.ports.ui}`],
    ...['--db-filename', stateFile(folder.dir, 'temporal.db')],
    ...SQLITE_PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
    ...DYNAMIC_CONFIG.flatMap((value) => ['--dynamic-config-value', value]),
    // Registered at every start; a repeated registration is harmless.
    ...SEARCH_ATTRIBUTES.flatMap(({ name }) => ['--search-attribute', `${name}=Keyword`]),
  ];
}

/** Whether the server answers for its namespace; sets the namespace's retention when it does. */
async function serves(folder: StateFolder): Promise<boolean> {
  if (!(await isListening(folder.ports.server))) return false;
  const connection = Connection.lazy({ ...embeddedConnectionOptions(serverAddress(folder)), connectTimeout: 2_000 });
  try {
    await connection.ensureConnected();
    const { config } = await connection.workflowService.describeNamespace({ namespace: NAMESPACE });
    const retention = msToTs(RETENTION);
    if (config?.workflowExecutionRetentionTtl?.seconds?.toNumber() !== retention.seconds?.toNumber()) {
      await connection.workflowService.updateNamespace({
        namespace: NAMESPACE,
        config: { workflowExecutionRetentionTtl: retention },
      });
    }
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

/**
 * Waits until the server's ports are free, and ends a server that outlived its supervisor.
 * @throws ServerError when another program holds one.
 */
async function claimPorts(folder: StateFolder): Promise<void> {
  const deadline = Date.now() + ORPHAN_GRACE_MS;
  for (const name of ['server', 'ui'] as const) {
    while (!(await isFree(folder.ports[name]))) {
      await killOrphan(folder);
      if (Date.now() > deadline) {
        throw new ServerError({
          what: `port ${folder.ports[name]} on ${LOOPBACK}, the embedded Temporal's ${name} port, is taken by another program`,
          where: stateFile(folder.dir, 'ports.json'),
          next: 'End that program, or delete this file while no virnucpro command runs; new ports are chosen then',
        });
      }
      await sleep(POLL_MS);
    }
  }
}

/** Where the kernel has no parent-death signal, a server outlives a supervisor that was killed. */
async function killOrphan(folder: StateFolder): Promise<void> {
  const record = await readFile(stateFile(folder.dir, 'server.json'), 'utf8').catch(() => '{}');
  const { pid } = JSON.parse(record) as { pid?: number };
  if (pid === undefined) return;
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', `${pid}`]).catch(() => ({
    stdout: '',
  }));
  // The number may belong to another process by now.
  if (stdout.includes(stateFile(folder.dir, 'temporal.db'))) process.kill(pid, 'SIGKILL');
}

/** The lines that tell of an error, without the stack of a panic below them; all of them when none does. */
function errorsIn(lastWords: string): string {
  const lines = lastWords.split('\n');
  const errors = lines.filter((line) => /level=(ERROR|FATAL)|^(panic|error):/i.test(line));
  return (errors.length > 0 ? errors.slice(0, 2) : lines.slice(-8)).join('\n');
}

function startFailure(how: string, lastWords: string, folder: StateFolder): ServerError {
  const database = stateFile(folder.dir, 'temporal.db');
  const where = stateFile(folder.dir, 'server.log');
  if (/database is locked/.test(lastWords)) {
    return new ServerError({
      what: 'another Temporal server has the database of this state folder open',
      where: database,
      next: 'It may run in a container that shares the folder: end it there, or set VIRNUCPRO_STATE_DIR to another folder',
    });
  }
  if (/not a database|malformed|disk image/.test(lastWords)) {
    return new ServerError({
      what: `the database of the embedded Temporal is damaged: ${lastWords}`,
      where: database,
      next: 'Move it away (with its -wal file) and run the command again: finished files of a run are found and used',
    });
  }
  return new ServerError({
    what: `the Temporal server ${how}. Its last words: ${errorsIn(lastWords) || '(none)'}`,
    where,
    next: 'Read that log; `virnucpro server install` gets another Temporal CLI',
  });
}
