import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { goldenModels } from './golden.js';
import { temporalCli } from './temporal-cli.js';

const MAIN = path.resolve('dist/src/cli/main.js');

/** One call of the command line in a process of its own. */
export interface CliCall {
  child: ChildProcess;
  /** Everything written so far. */
  output(): string;
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** Starts `virnucpro ...args`, with a state folder of its own. */
export function startCli(args: string[], stateDir: string, stdin?: string, env: NodeJS.ProcessEnv = {}): CliCall {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...env, VIRNUCPRO_STATE_DIR: stateDir, VIRNUCPRO_TEMPORAL_CLI: temporalCli },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin!.end(stdin ?? '');
  const text = { stdout: '', stderr: '' };
  child.stdout!.on('data', (data: Buffer) => (text.stdout += data.toString()));
  child.stderr!.on('data', (data: Buffer) => (text.stderr += data.toString()));
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, ...text })),
  );
  return { child, output: () => text.stdout + text.stderr, ended };
}

/** Runs a command that needs neither server nor models, in `cwd`, to its end. */
export function callCli(
  args: readonly string[],
  cwd = process.cwd(),
  env: NodeJS.ProcessEnv = {},
): Awaited<CliCall['ended']> {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return { code: status, stdout, stderr };
}

/** The flags that name the tiny models. */
export const tinyModels = [
  ...['--dna-model', goldenModels.dnaModel],
  ...['--protein-model', goldenModels.proteinModel],
  ...['-p', goldenModels.classifier],
];

/** Processes that were started, directly or not, by a command with this state folder. Linux. */
export function processesOf(stateDir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`VIRNUCPRO_STATE_DIR=${stateDir}\0`);
      } catch {
        return false;
      }
    });
}
