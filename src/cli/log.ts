import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Level, type Logger, pino } from 'pino';

const STDERR = 2;

let log: Logger | undefined;

/** What a command logs: JSON lines, its warnings and errors on standard error unless VIRNUCPRO_LOG_LEVEL says more. */
export function cliLog(): Logger {
  return (log ??= pino({ level: levelOr('warn') }, pino.destination(STDERR)));
}

/**
 * For a command that shows on its display what goes wrong: from now on only errors are logged on standard error, all
 * with `verbose`; a log file gets everything from level info up. The file's folder is made.
 */
export function logBesideDisplay({ verbose, logFile }: { verbose: boolean; logFile: string | undefined }): void {
  const screen = verbose ? 'debug' : levelOr('error');
  const streams: { level: Level; stream: pino.DestinationStream }[] = [
    { level: screen, stream: pino.destination(STDERR) },
  ];
  if (logFile !== undefined) {
    mkdirSync(path.dirname(path.resolve(logFile)), { recursive: true });
    streams.push({ level: 'info', stream: pino.destination(logFile) });
  }
  log = pino({ level: verbose ? 'debug' : logFile === undefined ? screen : 'info' }, pino.multistream(streams));
}

function levelOr(level: Level): Level {
  return (process.env['VIRNUCPRO_LOG_LEVEL'] as Level | undefined) ?? level;
}
