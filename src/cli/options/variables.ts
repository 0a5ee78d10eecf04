import type { Command } from 'commander';
import { distance } from 'fastest-levenshtein';
import { variableOf } from './option-table.js';

/** Variables of ours that are no option of a command; and the one that many set, so that their commands start at once. */
const OTHERS = [
  ...['ALIVE_FILE', 'CACHE_DIR', 'LOG_LEVEL', 'MODELS', 'SCRATCH', 'SCRATCH_BYTES', 'STATE_DIR', 'TEMPORAL_CLI'],
  // Of docker/compose.yaml.
  ...['IMAGE', 'CUDA_IMAGE'],
].map((name) => `VIRNUCPRO_${name}`);

/** Those of our tests. */
const TESTS = 'VIRNUCPRO_TEST_';

/** Letters that a slip of the fingers changes at most. */
const SLIP = 3;

/**
 * Variables that look like ours and nothing reads, each with the one that may be meant.
 * @param program gives the command line with all options; only asked when it matters, as that takes a while.
 */
export async function strangeVariables(
  env: NodeJS.ProcessEnv,
  program: () => Promise<Command>,
): Promise<{ name: string; meant: string | undefined }[]> {
  const names = Object.keys(env).filter((name) => name.startsWith('VIRNUCPRO_') && !name.startsWith(TESTS));
  if (names.every((name) => OTHERS.includes(name))) return [];
  const known = [...OTHERS, ...optionVariables(await program())];
  return names
    .filter((name) => !known.includes(name))
    .map((name) => {
      const nearest = known.reduce((best, other) => (distance(name, other) < distance(name, best) ? other : best));
      return { name, meant: distance(name, nearest) <= SLIP ? nearest : undefined };
    });
}

function optionVariables(command: Command): string[] {
  const own = command.options.map((option) => variableOf(option.attributeName()));
  return [...own, ...command.commands.flatMap(optionVariables)];
}
