/**
 * `program SEED SECONDS [TARGET]`: has each parser read damaged inputs for so many seconds, one JSON line each. The law: an
 * input is read, or refused by an error class of ours that says what, where and next, within {@link LIMIT_MS} of this
 * process's time and {@link LIMIT_BYTES} of memory. The input under way stays in its file, so that a hang can be looked at.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { VirnucproError } from '../../../src/contract/failures.js';
import { random as generator } from '../../unit/model/checkpoint/support.js';
import { mutate } from './mutate.js';
import { type Target, fuzzTargets } from './targets.js';

const LIMIT_MS = 3_000;
const LIMIT_BYTES = 1 << 30;

const [seed, seconds, only] = process.argv.slice(2) as [string, string, string | undefined];

async function fuzz(target: Target, file: string): Promise<object> {
  const outcomes: Record<string, number> = {};
  const findings: string[] = [];
  const startedAt = performance.now();
  let inputs = 0;
  for (; performance.now() - startedAt < Number(seconds) * 1000 && findings.length < 5; inputs++) {
    const below = generator(Number(seed) + inputs);
    const input = mutate(target.seeds, target.words, () => below(2 ** 30) / 2 ** 30);
    await writeFile(file, target.wrap?.(input) ?? input);
    const before = process.cpuUsage();
    const outcome = await target.parse(file).then(
      () => 'read',
      (error: unknown) => describe(error),
    );
    const { user, system } = process.cpuUsage(before);
    const { rss } = process.memoryUsage();
    const problem =
      (user + system) / 1000 > LIMIT_MS ? 'took too long' : rss > LIMIT_BYTES ? `took ${rss} bytes` : undefined;
    const finding = problem ?? (outcome.startsWith('!') ? outcome : undefined);
    if (finding !== undefined) findings.push(`input ${inputs}: ${finding}`);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return { target: target.name, seed: Number(seed), inputs, outcomes, findings };
}

function describe(error: unknown): string {
  const isOurs = error instanceof VirnucproError && error.name !== 'InternalError';
  if (isOurs && error.what !== '' && error.next !== '' && error.where !== undefined) return error.name;
  return `! ${error instanceof Error ? error.stack : String(error)}`.slice(0, 1500);
}

const folder = await mkdtemp(path.join(tmpdir(), 'virnucpro-fuzz-'));
for (const target of await fuzzTargets(folder)) {
  if (only !== undefined && target.name !== only) continue;
  const file = path.join(folder, target.file);
  await mkdir(path.dirname(file), { recursive: true });
  process.stdout.write(`${JSON.stringify({ started: target.name, file })}\n`);
  process.stdout.write(`${JSON.stringify(await fuzz(target, file))}\n`);
}
await rm(folder, { recursive: true, force: true });
