import { availableParallelism } from 'node:os';
import { SimplePlugin } from '@temporalio/plugin';
import { Runtime, type Worker } from '@temporalio/worker';
import { z } from 'zod';
import { createCpuActivities } from './activities/index.js';
import { prefixed } from './contract/activity-names.js';
import { OptionError } from './contract/failures.js';
import { connectOnce } from './workers/connection.js';
import { cpuDevices } from './workers/cpu-devices.js';
import { HostAgent } from './workers/host-agent.js';
import { sdkLog } from './workers/log.js';

/** Options of {@link VirnucproPlugin}. */
export interface VirnucproPluginOptions {
  /**
   * CPU lanes that this machine serves while the worker runs: processes that each hold the model of one stage. None by
   * default: then lanes come from other hosts (`virnucpro worker`).
   */
  lanes?: {
    /** Lanes at once, 1 to 1024. */
    count: number;
    /** CPU threads that they share; by default all. */
    threads?: number;
  };
  /**
   * What else runs beside the worker, on our own task queues; none by default. `control` runs our workflows on
   * CONTROL_QUEUE, so that `executeChild('embedStage', { taskQueue: CONTROL_QUEUE, … })` needs no bundling; `cpu` runs
   * the activities without a model on CPU_QUEUE.
   */
  roles?: ('control' | 'cpu')[];
  /** Name of this machine in queues and reports; by default its host name. No spaces, `/`, `#` or `@`. */
  host?: string;
  /**
   * Environment variables over this process's. Agent and lanes connect by the standard TEMPORAL_ variables: needed here
   * when your own connection is made otherwise. The namespace is always the worker's.
   */
  env?: Record<string, string>;
}

const pluginOptions = z.strictObject({
  lanes: z
    .strictObject({
      count: z.int().min(1).max(1024),
      threads: z.int().min(1).max(1024).default(availableParallelism()),
    })
    .optional(),
  roles: z.array(z.enum(['control', 'cpu'])).default([]),
  host: z
    .string()
    .regex(/^[^\s/#@]+$/, 'must not be empty or hold spaces, /, # or @')
    .optional(),
  env: z.record(z.string(), z.string()).default({}),
});

/**
 * Adds VirNucPro's activities to the workers that list it, and serves lanes on their machine while they run.
 *
 * It adds and never replaces: the activities are named `virnucpro.*`, and where a worker has one of that name, the
 * worker's own is kept. Workflows are yours to export: `export * from 'virnucpro-temporal/workflows'`. Nothing
 * process-wide is touched; the agent logs to the SDK's logger.
 */
export class VirnucproPlugin extends SimplePlugin {
  private readonly settings: z.infer<typeof pluginOptions>;
  /** Workers that run now; the first one brings the agent, the last one takes it. */
  private readonly workers = new Set<Worker>();
  private agent: Promise<RunningAgent> | undefined;

  /** @throws OptionError that names the option and what it takes. */
  constructor(options: VirnucproPluginOptions = {}) {
    super({ name: 'virnucpro', activities: (own) => ({ ...prefixed(createCpuActivities()), ...own }) });
    this.settings = checked(options);
  }

  /**
   * Runs the worker, with our agent beside it if lanes or roles were asked for. When the agent breaks, the worker is
   * shut down and this rejects with the agent's error.
   * @throws ServerError when the agent does not find the server.
   */
  override async runWorker(worker: Worker, next: (worker: Worker) => Promise<void>): Promise<void> {
    const { lanes, roles } = this.settings;
    if (lanes === undefined && roles.length === 0) return next(worker);
    this.workers.add(worker);
    this.agent ??= this.startAgent(worker.options.namespace);
    try {
      await this.agent;
      await next(worker);
    } finally {
      this.workers.delete(worker);
      if (this.workers.size === 0) await this.stopAgent();
    }
  }

  private async startAgent(namespace: string): Promise<RunningAgent> {
    const { lanes, roles, host } = this.settings;
    const env = { ...process.env, ...this.settings.env, TEMPORAL_NAMESPACE: namespace };
    // Not the worker's own connection: that may list this plugin, which would then apply to the agent's workers.
    const connection = await connectOnce(env);
    const agent = await HostAgent.create({
      roles: lanes === undefined ? roles : [...roles, 'lanes'],
      devices: lanes === undefined ? [] : cpuDevices(lanes.count, lanes.threads),
      connection,
      log: sdkLog(Runtime.instance().logger),
      laneEnv: env,
      ...(host === undefined ? {} : { host }),
    });
    const ended = agent.run().finally(() => connection.connection.close());
    ended.catch(() => {
      for (const worker of this.workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    });
    return {
      stop: () => {
        agent.shutdown();
        return ended;
      },
    };
  }

  private async stopAgent(): Promise<void> {
    const { agent } = this;
    this.agent = undefined;
    await (await agent)?.stop();
  }
}

interface RunningAgent {
  /** Rejects with what broke the agent, if anything did. */
  stop(): Promise<void>;
}

function checked(options: VirnucproPluginOptions): z.infer<typeof pluginOptions> {
  const parsed = pluginOptions.safeParse(options);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new OptionError({
    what: `VirnucproPlugin ${['options', ...issue!.path].join('.')}: ${issue!.message}`,
    next: 'See the documentation of VirnucproPluginOptions',
  });
}
