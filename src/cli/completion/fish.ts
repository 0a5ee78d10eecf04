import type { OptionWords, Place } from './places.js';
import { commandPaths } from './shell-cases.js';

/** The script for fish: to be sourced, or put into its folder of completions. */
export function fishScript(program: string, places: readonly Place[]): string {
  return `# Completes ${program} in fish. Made by: ${program} completion fish
function __${program}_at
    set -l at ''
    for word in (commandline -opc)[2..-1]
        switch "$at $word"
            case ${commandPaths(places).replaceAll(' | ', ' ')}
                set at (string trim "$at $word")
        end
    end
    test "$at" = "$argv[1]"
end
${places.flatMap((place) => linesOf(program, place)).join('\n')}
`;
}

function linesOf(program: string, { path, commands, choices, options }: Place): string[] {
  const line = `complete -c ${program} -n "__${program}_at '${path}'"`;
  return [
    ...commands.map(({ text, help }) => `${line} -f -a ${text} -d ${quoted(help)}`),
    ...(choices.length > 0 ? [`${line} -f -a '${choices.join(' ')}'`] : []),
    ...options.map((option) => `${line} ${flagsOf(option)} -d ${quoted(option.help)}`),
  ];
}

function flagsOf({ flags, takesValue, choices }: OptionWords): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const value = !takesValue ? [] : choices.length > 0 ? [`-x -a '${choices.join(' ')}'`] : ['-r'];
  return [...names, ...value].join(' ');
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
