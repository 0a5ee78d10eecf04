import { spawnSync } from 'node:child_process';

/** A Python that may have pandas and pyarrow; another than `python3` can be named. */
const PYTHON = process.env['VIRNUCPRO_TEST_PYTHON'] ?? 'python3';

/** Whether this machine's Python can import all of these. Nothing is installed. */
export function pythonHas(...modules: string[]): boolean {
  return spawnSync(PYTHON, ['-c', `import ${modules.join(', ')}`]).status === 0;
}

/** Runs a Python program and gives what it prints, as JSON. */
export function python(program: string, ...args: string[]): unknown {
  return JSON.parse(run(PYTHON, ['-c', program, ...args]));
}

/** Whether there is such a command on the path. */
export function hasCommand(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0;
}

/** Runs a command and gives its standard output. */
export function run(command: string, args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`${command} ended with ${status}: ${stderr}`);
  return stdout;
}
