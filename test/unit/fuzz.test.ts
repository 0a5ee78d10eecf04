import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../support/fuzz/program.js', import.meta.url));

/** The same inputs in the same order every time; `VIRNUCPRO_FUZZ_SEED=random` tries others. */
const asked = process.env['VIRNUCPRO_FUZZ_SEED'] ?? '1';
const SEED = asked === 'random' ? Math.floor(Math.random() * 2 ** 30) : Number(asked);

/** For each parser; `VIRNUCPRO_FUZZ_SECONDS=300` looks longer. */
const SECONDS = Number(process.env['VIRNUCPRO_FUZZ_SECONDS'] ?? 0.2);

interface Fuzzed {
  target: string;
  inputs: number;
  outcomes: Record<string, number>;
  findings: string[];
}

describe(`every parser, given damaged inputs (seed ${SEED})`, () => {
  it('reads them or refuses them by name, in bounded time and memory', function () {
    const limitMs = 60_000 + 40 * SECONDS * 1000;
    this.timeout(2 * limitMs);
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--max-old-space-size=512', PROGRAM, String(SEED), String(SECONDS)],
      { encoding: 'utf8', timeout: limitMs },
    );
    const lines = stdout.trim().split('\n');
    assert.equal(status, 0, `the last it said was ${lines.at(-1)}\n${stderr}`);
    const fuzzed = lines.map((line) => JSON.parse(line) as Fuzzed).filter(({ outcomes }) => outcomes !== undefined);
    assert.deepEqual(
      fuzzed.flatMap(({ target, findings }) => findings.map((finding) => `${target}, ${finding}`)),
      [],
    );
    assert.ok(fuzzed.length > 15);
    for (const { target, inputs } of fuzzed) assert.ok(inputs > 0, target);
  });
});
