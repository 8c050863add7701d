import type { Flag, Node } from './tree.ts'

const quoted = (words: readonly string[]): string => `'${words.join(' ')}'`
const valued = (flags: readonly Flag[]): Flag[] => flags.filter(({ value }) => value !== 'none')

/** A completion for bash 4 and newer, that needs nothing else to be installed. */
export function bashScript(nodes: readonly Node[]): string {
  const name = nodes[0]?.path ?? ''
  const steps = nodes
    .filter(({ path }) => path.includes(' '))
    .map(({ path }) => `      '${path}') at='${path}' ;;`)
  const takers = nodes.map(
    ({ path, flags }) => `    '${path}') echo ${quoted(valued(flags).map((flag) => flag.name))} ;;`,
  )
  const words = nodes.map(({ path, children, flags }) => {
    const names = [...children.map((child) => child.name), ...flags.map((flag) => flag.name)]
    return `    '${path}') echo ${quoted(names)} ;;`
  })
  const values = nodes.flatMap(({ path, flags }) =>
    valued(flags).flatMap(({ name: flag, value }) => {
      if (value === 'word') return []
      const answer = typeof value === 'string' ? '@files' : value.join(' ')
      return [`    '${path} ${flag}') echo '${answer}' ;;`]
    }),
  )
  const files = nodes.filter(({ takesFile }) => takesFile).map(({ path }) => `'${path}'`)
  return `# Completion of ${name} for bash. Load it with: source <(${name} completion bash)
_${name}_takers() {
  case "$1" in
${takers.join('\n')}
  esac
}
_${name}_words() {
  case "$1" in
${words.join('\n')}
  esac
}
_${name}_values() {
  case "$1" in
${values.join('\n')}
  esac
}
_${name}() {
  local at='${name}' word i skip='' last='' cur="\${COMP_WORDS[COMP_CWORD]}" values
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    last=''
    if [[ -n $skip ]]; then skip=''; continue; fi
    if [[ $word == -* ]]; then
      if [[ " $(_${name}_takers "$at") " == *" $word "* ]]; then skip=1; last="$word"; fi
      continue
    fi
    case "$at $word" in
${steps.join('\n')}
    esac
  done
  COMPREPLY=()
  if [[ -n $last ]]; then
    values="$(_${name}_values "$at $last")"
    if [[ $values == '@files' ]]; then mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    else mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur"); fi
    return
  fi
  mapfile -t COMPREPLY < <(compgen -W "$(_${name}_words "$at")" -- "$cur")
  case "$at" in
    ${files.join(' | ') || "''"})
      if [[ $cur != -* ]]; then mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur"); fi ;;
  esac
}
complete -o filenames -o bashdefault -F _${name} ${name}
`
}
