import { execFileSync } from 'node:child_process';

/** The commit that is measured, marked when files differ from it. */
export function commit(): string {
  return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
}
