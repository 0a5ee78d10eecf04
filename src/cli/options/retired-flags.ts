import { type Command, Option } from 'commander';

/**
 * Flags of the original command line that have lost their meaning, and what does their work here. Source: the original
 * `virnucpro predict` (cli/predict.py).
 */
export const RETIRED_FLAGS: Readonly<Record<string, string>> = {
  '--parallel': '--lanes says how many processes work at once',
  '-b, --batch-size <n>': 'the classifier takes a file batch at a time; nothing to set',
  '-w, --num-workers <n>': '--threads says how many CPU threads work',
  '--merge-threads <n>': '--threads says how many CPU threads work',
  '--v1-fallback': 'there is one implementation',
  '--v1-attention': 'there is one implementation, exact on the CPU',
  '--skip-checkpoint-validation': 'models are always checked; it takes seconds',
  '--dataloader-workers <n>': 'reading and tokenizing overlap with the model by themselves',
  '--pin-memory': 'reading and tokenizing overlap with the model by themselves',
  '--force-resume': 'damaged files are found by their digests and made again; --force starts over',
  '--expandable-segments': 'memory needs no setting',
  '--cache-clear-interval <n>': 'memory needs no setting',
  '--cuda-streams': 'nothing to set',
  '--no-cuda-streams': 'nothing to set',
};

/** Accepts the retired flags, each with one line on standard error that says what replaces it. */
export function addRetiredFlags(command: Command): Command {
  for (const [flags, instead] of Object.entries(RETIRED_FLAGS)) {
    const option = new Option(flags).hideHelp();
    command.addOption(option);
    command.on(`option:${option.name()}`, () => {
      process.stderr.write(`note: ${option.long} has no effect any more: ${instead}\n`);
    });
  }
  return command;
}
