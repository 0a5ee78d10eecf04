import { CommanderError, type Command } from 'commander';
import { addTablesWhenCalled } from './options/table-command.js';
import { OptionError, OutOfMemory, RunFailed, VirnucproError } from '../contract/failures.js';

/** Why a command stops that was told to by a signal: it tidies up and exits as a process killed by it would. */
export class Interrupted extends Error {
  constructor(readonly exitCode: number) {
    super('interrupted');
  }
}

/** An error of a command that has a use of its own for exit code 1. */
export class ExitWith extends Error {
  /** @param exitCode in place of 1. */
  constructor(
    readonly exitCode: number,
    cause: unknown,
  ) {
    super('failed', { cause });
  }
}

/** Exit code of a process that a signal ended: 128 and its number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * Aborts on Ctrl-C, SIGTERM or a closed terminal, with {@link Interrupted} as its reason, instead of dying at once. The
 * second of them ends the process, but for a terminal's.
 */
export function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const [signal, exitCode] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (controller.signal.aborted) {
        // A closed terminal says so more than once: the shell passes it on, and so does the kernel.
        if (signal === 'SIGHUP') return;
        process.exit(exitCode);
      }
      controller.abort(new Interrupted(exitCode));
    });
  }
  return controller.signal;
}

/** Exit codes of all commands. */
const FAILED = 1;
const USAGE = 2;
const OUT_OF_MEMORY = 4;

/**
 * Runs the command line and sets the exit code: 0 done, 1 failed, 2 wrong usage, 4 out of memory. A {@link VirnucproError} is printed
 * as two lines, what is wrong and where, then what to do; anything else is a bug and keeps its stack.
 */
export async function runCli(program: Command, argv: readonly string[] = process.argv): Promise<void> {
  prepare(program);
  addTablesWhenCalled(program);
  // The reader has had enough, as in `virnucpro list | head -1`.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode);
    throw error;
  });
  // The terminal has closed: tidying up needs no reader.
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EIO' && error.code !== 'EPIPE') throw error;
  });
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** Has commander throw instead of exit, and say what is wrong in one line with the next step on another. */
function prepare(command: Command, path = command.name()): void {
  command
    .exitOverride()
    .showHelpAfterError(`See ${path} --help`)
    .configureOutput({ outputError: (text, write) => write(text.replace('\n(Did you mean', ' (did you mean')) });
  for (const child of command.commands) prepare(child, `${path} ${child.name()}`);
}

function report(error: unknown): number {
  // Commander has printed its message itself; exit code 0 is --help or --version.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof ExitWith) {
    const exitCode = report(error.cause);
    return exitCode === FAILED ? error.exitCode : exitCode;
  }
  if (error instanceof VirnucproError) {
    const where = error.where === undefined ? '' : `${error.where}: `;
    process.stderr.write(`error: ${where}${error.what}\n${error.next}\n`);
    return exitCodeOf(error);
  }
  // The SDK's; its class is not loaded here, since `split` and `--help` need none of the SDK.
  if (error instanceof Error && error.name === 'ServiceError') {
    process.stderr.write(`error: the Temporal server does not answer: ${String(error.cause ?? error.message)}\n`);
    process.stderr.write('See virnucpro server status; the same command can be repeated, finished work is kept\n');
    return FAILED;
  }
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\nThis is a bug, please report it.\n`);
  return FAILED;
}

function exitCodeOf(error: VirnucproError): number {
  if (error instanceof OptionError) return USAGE;
  const type = error instanceof RunFailed ? error.type : error.name;
  return type === OutOfMemory.name ? OUT_OF_MEMORY : FAILED;
}
