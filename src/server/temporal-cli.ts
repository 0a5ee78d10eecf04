import { execFile } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { OptionError, ServerError } from '../contract/failures.js';

const run = promisify(execFile);

/** The Temporal CLI that we install; its server is 1.29.1. Later ones cannot be built by `go install`. */
export const TEMPORAL_CLI_VERSION = '1.5.1';

/** Oldest server that a CLI found on this machine may hold: what the behaviour of leases was measured on. */
const OLDEST_SERVER = [1, 29] as const;

const VERIFY_TIMEOUT_MS = 10_000;

/** About 60 MB. */
const DOWNLOAD_TIMEOUT_MS = 180_000;

/** Minutes on two cores. */
const BUILD_TIMEOUT_MS = 30 * 60_000;

/** What {@link findTemporalCli} needs. */
export interface FindOptions {
  /** Value of `--temporal-cli`. */
  flag?: string;
  env?: NodeJS.ProcessEnv;
  /** See `cacheFolderPath`. */
  cacheDir: string;
  log: Logger;
}

/**
 * A Temporal CLI already on this machine: `--temporal-cli`, `VIRNUCPRO_TEMPORAL_CLI`, `temporal` on the PATH, or in our
 * cache. Undefined when there is none.
 * @param passed gets a line for each place that was passed over, and why.
 * @throws OptionError when the one named by the flag or variable is not usable.
 */
export async function locateTemporalCli(options: FindOptions, passed: string[] = []): Promise<string | undefined> {
  const env = options.env ?? process.env;
  const named = options.flag ?? env.VIRNUCPRO_TEMPORAL_CLI;
  if (named) {
    const problem = await problemWith(named);
    if (problem === undefined) return named;
    throw new OptionError({
      what: `not a usable Temporal CLI: ${problem}`,
      where: options.flag === undefined ? 'VIRNUCPRO_TEMPORAL_CLI' : '--temporal-cli',
      next: 'Name an executable Temporal CLI, or leave it out to have one found or installed',
    });
  }
  const folders = (env.PATH ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const candidates = [...folders.map((folder) => path.join(folder, 'temporal')), cachedCli(options.cacheDir)];
  for (const candidate of candidates) {
    if (!(await isExecutable(candidate))) continue;
    const problem = await problemWith(candidate);
    if (problem === undefined) return candidate;
    passed.push(problem);
  }
  passed.push(`no usable \`temporal\` on the PATH or in ${options.cacheDir}`);
  return undefined;
}

/**
 * Path of a verified Temporal CLI: {@link locateTemporalCli}, else one downloaded by the Temporal SDK, else one built
 * with `go install`, both into our cache. Safe in several processes at once.
 * @param by tests stay off the network with a `download` of their own.
 * @throws OptionError as {@link locateTemporalCli}; ServerError, listing what was tried, when there is no way.
 */
export async function findTemporalCli(options: FindOptions, by = { download }): Promise<string> {
  const tried: string[] = [];
  const located = await locateTemporalCli(options, tried);
  if (located !== undefined) return located;

  const target = cachedCli(options.cacheDir);
  await mkdir(path.dirname(target), { recursive: true });
  const scratch = await mkdtemp(`${target}-`);
  try {
    for (const [how, install] of [
      ['download', by.download],
      ['go install', build],
    ] as const) {
      try {
        options.log.info('no Temporal CLI found: %s of version %s', how, TEMPORAL_CLI_VERSION);
        const installed = await install(scratch, options.env ?? process.env);
        const problem = await problemWith(installed);
        if (problem !== undefined) throw new Error(problem);
        await rename(installed, target);
        return target;
      } catch (error) {
        tried.push(`${how}: ${lastWords(error)}`);
      }
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  throw new ServerError({
    what: `no Temporal CLI, which holds the embedded server. Tried: ${tried.join('; ')}`,
    next:
      'Install the Temporal CLI on the PATH, name one with --temporal-cli or VIRNUCPRO_TEMPORAL_CLI, ' +
      'or install Go and run `virnucpro server install` again',
  });
}

function cachedCli(cacheDir: string): string {
  return path.join(cacheDir, 'temporal-cli', TEMPORAL_CLI_VERSION, 'temporal');
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Why `file` does not do as a Temporal CLI, or undefined when it does. */
async function problemWith(file: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(file, ['--version'], { timeout: VERIFY_TIMEOUT_MS });
    const [, major, minor] = /^temporal version .*\(Server (\d+)\.(\d+)/.exec(stdout) ?? [];
    if (major === undefined) return `${file} says "${stdout.trim().split('\n')[0]}" to --version`;
    const age = Number(major) - OLDEST_SERVER[0] || Number(minor) - OLDEST_SERVER[1];
    return age < 0 ? `${file} holds server ${major}.${minor}, older than ${OLDEST_SERVER.join('.')}` : undefined;
  } catch (error) {
    return `${file} does not run: ${lastWords(error)}`;
  }
}

async function download(scratch: string): Promise<string> {
  const program = fileURLToPath(new URL('./download-temporal-cli.js', import.meta.url));
  await run(process.execPath, [program, scratch, `v${TEMPORAL_CLI_VERSION}`], {
    timeout: DOWNLOAD_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const [name] = await readdir(scratch);
  if (name === undefined) throw new Error('the SDK left no file');
  return path.join(scratch, name);
}

async function build(scratch: string, env: NodeJS.ProcessEnv): Promise<string> {
  await run('go', ['install', `github.com/temporalio/cli/cmd/temporal@v${TEMPORAL_CLI_VERSION}`], {
    env: { ...env, CGO_ENABLED: '0', GOBIN: scratch },
    timeout: BUILD_TIMEOUT_MS,
    maxBuffer: 64 << 20,
  });
  return path.join(scratch, 'temporal');
}

/** The end of what a failed command printed, in one line. */
function lastWords(error: unknown): string {
  const { stderr, message, killed } = error as Error & { stderr?: string; killed?: boolean };
  if (killed) return 'took too long';
  return (stderr?.trim() || message).split('\n').slice(-2).join(' ').slice(0, 400);
}
