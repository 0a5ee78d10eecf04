import { mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { type Level, type Logger, pino } from 'pino';
import { OptionError } from '../contract/failures.js';

const STDERR = 2;

let log: Logger | undefined;

/** What a command logs: JSON lines, its warnings and errors on standard error unless VIRNUCPRO_LOG_LEVEL says more. */
export function cliLog(): Logger {
  return (log ??= pino({ level: levelOr('warn') }, pino.destination(STDERR)));
}

/**
 * For a command that shows on its display what goes wrong: from now on only errors are logged on standard error, all
 * with `verbose`; a log file gets everything from level info up. The file's folder is made.
 * @throws OptionError when the log file cannot be written.
 */
export function logBesideDisplay({ verbose, logFile }: { verbose: boolean; logFile: string | undefined }): void {
  const screen = verbose ? 'debug' : levelOr('error');
  const streams: { level: Level; stream: pino.DestinationStream }[] = [
    { level: screen, stream: pino.destination(STDERR) },
  ];
  if (logFile !== undefined) {
    streams.push({ level: 'info', stream: pino.destination(openLogFile(logFile)) });
  }
  log = pino({ level: verbose ? 'debug' : logFile === undefined ? screen : 'info' }, pino.multistream(streams));
}

function openLogFile(file: string): number {
  try {
    mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
    return openSync(file, 'a');
  } catch (error) {
    throw new OptionError({
      what: `the log file cannot be written (${(error as NodeJS.ErrnoException).code})`,
      where: file,
      next: 'Give another file with --log-file',
      cause: error,
    });
  }
}

function levelOr(level: Level): Level {
  const asked = process.env['VIRNUCPRO_LOG_LEVEL'];
  if (asked === undefined) return level;
  const levels = Object.keys(pino.levels.values);
  if (levels.includes(asked)) return asked as Level;
  throw new OptionError({
    what: `VIRNUCPRO_LOG_LEVEL is ${JSON.stringify(asked)}, allowed are ${levels.join(', ')}`,
    next: 'Set it to one of them, or unset it',
  });
}
