import { type LogLevel, type LogMetadata, type Logger as SdkLogger, Runtime } from '@temporalio/worker';
import { type Logger as PinoLogger, pino } from 'pino';

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
 */
export function installRuntime(log: PinoLogger): void {
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
  Runtime.install({
    shutdownSignals: [],
    logger: {
      log: write,
      trace: (message, meta) => write('TRACE', message, meta),
      debug: (message, meta) => write('DEBUG', message, meta),
      info: (message, meta) => write('INFO', message, meta),
      warn: (message, meta) => write('WARN', message, meta),
      error: (message, meta) => write('ERROR', message, meta),
    },
    telemetryOptions: { logging: { forward: {}, filter: 'WARN' } },
  });
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
