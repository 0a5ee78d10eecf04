import type { Place } from './places.js';
import { commandPaths, valueFlags } from './shell-cases.js';

/** The script for bash (3.2 and later): to be sourced, or put where bash-completion finds it. */
export function bashScript(program: string, places: readonly Place[]): string {
  return `# Completes ${program} in bash. Made by: ${program} completion bash
_${program}() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} at='' i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${commandPaths(places)}) at="\${at:+$at }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at $previous" in
${valueFlags(places)
  .map(({ pattern, choices }) => `    ${pattern}) ${complete(choices)}return ;;`)
  .join('\n')}
  esac
  local commands='' options=''
  case "$at" in
${places
  .map(
    ({ path, commands, choices, options }) =>
      `    '${path}')\n` +
      `      commands='${[...commands.map(({ text }) => text), ...choices].join(' ')}'\n` +
      `      options='${options.flatMap(({ flags }) => flags).join(' ')}' ;;`,
  )
  .join('\n')}
  esac
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$word"))
  else COMPREPLY=($(compgen -W "$commands" -- "$word")); fi
}
# Where it offers nothing, names of files are meant.
complete -o bashdefault -o default -F _${program} ${program}
`;
}

function complete(choices: readonly string[]): string {
  return choices.length === 0 ? '' : `COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$word")); `;
}
