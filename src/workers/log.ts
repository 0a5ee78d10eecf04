import { type Logger as SdkLogger, Runtime } from '@temporalio/worker';
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
  return pino({ level, base: { pid: process.pid, ...fields } }, pino.destination({ fd: 2, sync: true }));
}

/**
 * Makes the SDK log through ours and leave signals to us. Once per process, before any other SDK call.
 * Its routine messages are our debug level.
 */
export function installRuntime(log: PinoLogger): void {
  Runtime.install({
    shutdownSignals: [],
    logger: {
      log: (level, message, meta) =>
        log[level === 'WARN' ? 'warn' : level === 'ERROR' ? 'error' : 'debug'](meta ?? {}, message),
      trace: (message, meta) => log.trace(meta ?? {}, message),
      debug: (message, meta) => log.debug(meta ?? {}, message),
      info: (message, meta) => log.debug(meta ?? {}, message),
      warn: (message, meta) => log.warn(meta ?? {}, message),
      error: (message, meta) => log.error(meta ?? {}, message),
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
