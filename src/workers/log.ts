import { Runtime } from '@temporalio/worker';
import { type Logger, pino } from 'pino';

export type { Logger };

/** JSON lines on stderr, one per event, with `role` (and stage, lane, lease) as fields. Level by VIRNUCPRO_LOG_LEVEL. */
export function createLog(fields: Record<string, unknown>): Logger {
  const level = process.env['VIRNUCPRO_LOG_LEVEL'] ?? 'info';
  return pino({ level, base: { pid: process.pid, ...fields } }, pino.destination({ fd: 2, sync: true }));
}

/**
 * Makes the SDK log through ours and leave signals to us. Once per process, before any other SDK call.
 * Its routine messages are our debug level.
 */
export function installRuntime(log: Logger): void {
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
