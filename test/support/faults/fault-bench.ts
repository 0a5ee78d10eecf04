import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { msToTs } from '@temporalio/common/lib/time.js';
import { Client, Connection, type WorkflowClientInterceptor } from '@temporalio/client';
import { pino } from 'pino';
import { agentCommand } from '../../../src/cli/embedded-run.js';
import { startCampaign } from '../../../src/cli/campaign-client.js';
import type { RunOptions } from '../../../src/contract/run.js';
import { embeddedConnectionOptions } from '../../../src/server/dev-server.js';
import { type Supervision, joinSupervision } from '../../../src/server/supervisor.js';
import { sampleOf, testRunOptions } from '../campaign.js';
import { pidsOf } from '../processes.js';
import { type Scrape, freeAddress, scrape } from '../prometheus.js';
import { temporalCli } from '../temporal-cli.js';
import { type AgentOptions, AgentProcess } from './agent-process.js';
import { faultInput } from './input.js';
import { BEHAVIOUR_FILE, type Behaviour, setBehaviour } from './lane-behaviour.js';
import { WatchedRun } from './watched-run.js';

const BACKEND = new URL('./lane-backend.js', import.meta.url);

/** Longest that any undisturbed step of these small runs takes on a busy machine. */
export const PATIENCE_MS = 120_000;

/** A call that makes what is left of a run take a minute, so that a lane comes back before its end. */
export const SLOW_CALL_MS = 3_000;

/** Silence after which these tests' leases and batches are taken for dead. */
export const HEARTBEAT_MS = 3_000;

/** A real server and real hosts with devices that misbehave when told to, in a folder of their own. */
export class FaultBench {
  private readonly agents: AgentProcess[] = [];
  private runs = 0;

  private constructor(
    readonly dir: string,
    readonly client: Client,
    private readonly supervision: Supervision,
    private readonly metricsAddress: string,
  ) {}

  /** @param lanes CPU lanes of the embedded agent; 0: server only, all hosts are started by the test. */
  static async start(lanes: number): Promise<FaultBench> {
    const dir = await mkdtemp(path.join(tmpdir(), 'virnucpro-faults-'));
    await setBehaviour(behaviourFile(dir), {});
    const metricsAddress = await freeAddress();
    const metrics = { VIRNUCPRO_METRICS: metricsAddress };
    const supervision = await joinSupervision({
      stateDir: path.join(dir, 'state'),
      temporalCli: temporalCli!,
      startAgent: (server) => {
        if (lanes === 0) return undefined;
        const { env, ...command } = agentCommand(server, { lanes, threads: lanes });
        return { ...command, env: { ...env, ...metrics, ...hostEnvironment(behaviourFile(dir)) } };
      },
      log: pino({ level: 'silent' }),
    });
    const connection = await Connection.connect(embeddedConnectionOptions(supervision.address));
    return new FaultBench(dir, new Client({ connection }), supervision, metricsAddress);
  }

  /** How the devices behave from their next call on: the embedded agent's and, unless they have their own, all others'. */
  behave(behaviour: Behaviour, host?: string): Promise<void> {
    return setBehaviour(behaviourFile(this.dir, host), behaviour);
  }

  /** Starts another host, with `more` in its environment. With `behaviour` its devices follow that and their own {@link behave}. */
  async startAgent(options: AgentOptions, behaviour?: Behaviour, more: NodeJS.ProcessEnv = {}): Promise<AgentProcess> {
    const host = behaviour === undefined ? undefined : options.host;
    if (behaviour !== undefined) await this.behave(behaviour, host);
    const { address, namespace } = this.supervision;
    const environment = hostEnvironment(behaviourFile(this.dir, host));
    const env = { ...process.env, ...environment, TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, ...more };
    const agent = new AgentProcess(options, env, path.join(this.dir, `${options.host}.log`));
    this.agents.push(agent);
    return agent;
  }

  /** Starts a run over {@link faultInput}, two lanes, batches of three frames unless told otherwise. */
  async run(options: Partial<RunOptions> = {}, runTimeoutMs?: number): Promise<WatchedRun> {
    const outputDir = path.join(this.dir, `run-${++this.runs}`);
    const input = await faultInput(this.dir);
    const all = testRunOptions(outputDir, { lanes: 2, batchSequences: 3, heartbeatMs: HEARTBEAT_MS, ...options });
    const client = runTimeoutMs === undefined ? this.client : withRunTimeout(this.client, runTimeoutMs);
    const { handle } = await startCampaign(client, [sampleOf(input)], all, `run-${this.runs}`);
    return new WatchedRun(this.client, handle, all);
  }

  get serverPid(): number {
    return only('server', this.serverPids());
  }

  /** None while it is being started again. */
  serverPids(): number[] {
    return pidsOf(path.join(this.dir, 'state', 'temporal.db'));
  }

  get serverPort(): number {
    return Number(this.supervision.address.split(':').at(-1));
  }

  /** The embedded agent. */
  get agentPid(): number {
    return only('agent', this.agentPids());
  }

  /** None while the embedded agent is being started again. */
  agentPids(): number[] {
    return this.hostProcesses('worker --roles');
  }

  /** What the embedded agent and its lanes wrote. */
  agentLog(): Promise<string> {
    return readFile(path.join(this.dir, 'state', 'agent.log'), 'utf8');
  }

  /** The embedded agent's metrics. */
  metrics(): Promise<Scrape> {
    return scrape(this.metricsAddress);
  }

  /** Lane processes of all hosts. */
  lanePids(): number[] {
    return this.hostProcesses('virnucpro-lane');
  }

  async close(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.kill('SIGKILL')));
    await this.client.connection.close();
    await this.supervision.close();
    await rm(this.dir, { recursive: true, force: true });
  }

  private hostProcesses(word: string): number[] {
    return pidsOf(word).filter((pid) => environmentHolds(pid, `${BEHAVIOUR_FILE}=${this.dir}`));
  }
}

function behaviourFile(dir: string, host = 'all'): string {
  return path.join(dir, `${host}.behaviour.json`);
}

/** A client whose runs the server ends after `ms`. */
function withRunTimeout({ connection, options: { namespace } }: Client, ms: number): Client {
  const start: WorkflowClientInterceptor['start'] = (input, next) =>
    next({ ...input, options: { ...input.options, workflowRunTimeout: msToTs(ms) } });
  return new Client({ connection, namespace, interceptors: { workflow: [{ start }] } });
}

/** Has every process below it follow the behaviour file. */
export function hostEnvironment(behaviour: string): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--import=${BACKEND.href}`, [BEHAVIOUR_FILE]: behaviour };
}

function environmentHolds(pid: number, text: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text);
  } catch {
    return false;
  }
}

function only(what: string, pids: number[]): number {
  if (pids.length !== 1) throw new Error(`${pids.length} processes that could be the ${what}`);
  return pids[0]!;
}
