import {
  type LogLevel,
  type LogMetadata,
  type MetricsExporterConfig,
  type Logger as SdkLogger,
  Runtime,
  type RuntimeOptions,
} from '@temporalio/worker';
import { type Logger as PinoLogger, pino } from 'pino';
import { OptionError } from '../contract/failures.js';
import { BATCH_SECONDS, BATCH_SECONDS_BUCKETS } from './host-metrics.js';

/** What an agent logs to. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

/** JSON lines on stderr, one per event, with `role` (and stage, lane, lease) as fields. Level by VIRNUCPRO_LOG_LEVEL. */
export function createLog(fields: Record<string, unknown>): PinoLogger {
  const level = process.env['VIRNUCPRO_LOG_LEVEL'] ?? 'info';
  // A task token lets its holder answer for the activity.
  const redact = { paths: ['taskToken'], remove: true };
  return pino({ level, redact, base: { pid: process.pid, ...fields } }, pino.destination({ fd: 2, sync: true }));
}

/** Each of our workers serves workflows or activities, never both. */
const EXPECTED = /^No (activities|workflows) registered, not polling/;

/**
 * Makes the SDK log through ours and leave signals to us. Once per process, before any other SDK call.
 * Its routine messages are our debug level; what activities and workflows log themselves keeps its own.
 * @param metricsAddress IP address and port where Prometheus finds the process's metrics, the SDK's and ours.
 * @throws OptionError when that cannot be listened on.
 */
export function installRuntime(log: PinoLogger, metricsAddress?: string): void {
  const levelOf = (
    level: LogLevel,
    message: string,
    meta?: LogMetadata,
  ): 'trace' | 'debug' | 'info' | 'warn' | 'error' => {
    const isOurs = meta?.['sdkComponent'] === 'activity' || meta?.['sdkComponent'] === 'workflow';
    if (level === 'INFO') return isOurs ? 'info' : 'debug';
    if (level === 'WARN') return EXPECTED.test(message) ? 'debug' : 'warn';
    return level === 'ERROR' ? 'error' : level === 'TRACE' ? 'trace' : 'debug';
  };
  const write = (level: LogLevel, message: string, meta?: LogMetadata): void =>
    log[levelOf(level, message, meta)](meta ?? {}, message);
  const options: RuntimeOptions = {
    shutdownSignals: [],
    logger: {
      log: write,
      trace: (message, meta) => write('TRACE', message, meta),
      debug: (message, meta) => write('DEBUG', message, meta),
      info: (message, meta) => write('INFO', message, meta),
      warn: (message, meta) => write('WARN', message, meta),
      error: (message, meta) => write('ERROR', message, meta),
    },
    telemetryOptions: {
      logging: { forward: {}, filter: 'WARN' },
      ...(metricsAddress === undefined ? {} : { metrics: prometheusAt(metricsAddress) }),
    },
  };
  try {
    Runtime.install(options);
  } catch (error) {
    if (metricsAddress === undefined) throw error;
    throw new OptionError({
      what: `metrics cannot be served there (${error instanceof Error ? error.message : String(error)})`,
      where: metricsAddress,
      next: 'Give another address with --metrics or VIRNUCPRO_METRICS',
      cause: error,
    });
  }
}

/** Names as Prometheus wants them: counters end in `_total`, durations are in seconds. */
function prometheusAt(bindAddress: string): MetricsExporterConfig {
  return {
    attachServiceName: false,
    prometheus: {
      bindAddress,
      countersTotalSuffix: true,
      unitSuffix: true,
      useSecondsForDurations: true,
      histogramBucketOverrides: { [BATCH_SECONDS]: BATCH_SECONDS_BUCKETS },
    },
  };
}

/** Logs to an SDK logger, such as the one that a host chose for its workers. */
export function sdkLog(logger: SdkLogger, fields: object = {}): Logger {
  return {
    debug: (more, message) => logger.debug(message, { ...fields, ...more }),
    info: (more, message) => logger.info(message, { ...fields, ...more }),
    warn: (more, message) => logger.warn(message, { ...fields, ...more }),
    error: (more, message) => logger.error(message, { ...fields, ...more }),
    child: (more) => sdkLog(logger, { ...fields, ...more }),
  };
}
