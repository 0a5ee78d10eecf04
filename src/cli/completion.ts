import { Argument, Command } from 'commander';
import type { Shell } from './completion/scripts.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const satisfies Shell[];

/**
 * `virnucpro completion SHELL`: a script that completes commands, options and their choices.
 * @param program gives the command line that it is made from.
 */
export function completionCommand(program: () => Promise<Command>): Command {
  return new Command('completion')
    .description('print a script that completes this command line on TAB')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  virnucpro completion bash > ~/.local/share/bash-completion/completions/virnucpro\n' +
        '  virnucpro completion zsh > ~/.zsh/_virnucpro      with ~/.zsh in fpath, before compinit\n' +
        '  virnucpro completion fish > ~/.config/fish/completions/virnucpro.fish',
    )
    .action(async (shell: Shell) => {
      const { completionScript } = await import('./completion/scripts.js');
      process.stdout.write(completionScript(await program(), shell));
    });
}
