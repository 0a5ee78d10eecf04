import type { Place, Word } from './places.js';
import { commandPaths, valueFlags } from './shell-cases.js';

/** The script for zsh: to be sourced after compinit, or put into fpath as `_<program>`. */
export function zshScript(program: string, places: readonly Place[]): string {
  return `#compdef ${program}
# Completes ${program} in zsh. Made by: ${program} completion zsh
_${program}() {
  local at='' i
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
      ${commandPaths(places)}) at="\${at:+$at }\${words[i]}" ;;
    esac
  done
  case "$at \${words[CURRENT - 1]}" in
${valueFlags(places)
  .map(
    ({ pattern, choices }) =>
      `    ${pattern}) ${choices.length > 0 ? `compadd ${choices.join(' ')}` : '_files'}; return ;;`,
  )
  .join('\n')}
  esac
  local -a commands options
  case "$at" in
${places
  .map(
    ({ path, commands, choices, options }) =>
      `    '${path}')\n` +
      `      commands=(${items([...commands, ...choices.map((text) => ({ text, help: '' }))])})\n` +
      `      options=(${items(options.flatMap(({ flags, help }) => flags.map((text) => ({ text, help }))))}) ;;`,
  )
  .join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then _describe -o option options
  elif (( \${#commands} )); then _describe command commands
  else _files; fi
}
if [[ \${funcstack[1]} == _${program} ]]; then _${program} "$@"; else compdef _${program} ${program}; fi
`;
}

function items(words: readonly Word[]): string {
  return words.map(({ text, help }) => quoted(help === '' ? text : `${text}:${help}`)).join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
