import type { Flag, Node } from './tree.ts'

/** Text inside single quotes of a shell. */
const safe = (text: string): string => text.replaceAll("'", "'\\''")
const described = (name: string, about: string): string =>
  `'${safe(name.replaceAll(':', '\\:'))}:${safe(about)}'`
const takes = ({ value }: Flag): boolean => value !== 'none'

/** A completion for zsh, with what each command and flag does. */
export function zshScript(nodes: readonly Node[]): string {
  const name = nodes[0]?.path ?? ''
  const steps = nodes
    .filter(({ path }) => path.includes(' '))
    .map(({ path }) => `      '${path}') at='${path}' ;;`)
  const cases = nodes.map(({ path, children, flags, takesFile }) => {
    const commands = children.map((child) => described(child.name, child.about))
    const options = flags.map((flag) => described(flag.name, flag.about))
    const lines = [
      `    '${path}')`,
      `      commands=(${commands.join(' ')})`,
      `      options=(${options.join(' ')})`,
      ...(takesFile ? ['      files=1'] : []),
      '      ;;',
    ]
    return lines.join('\n')
  })
  const takers = nodes.map(
    ({ path, flags }) =>
      `    '${path}') reply=(${flags
        .filter(takes)
        .map((flag) => flag.name)
        .join(' ')}) ;;`,
  )
  const values = nodes.flatMap(({ path, flags }) =>
    flags.flatMap(({ name: flag, value }) => {
      if (value === 'none' || value === 'word') return []
      const act = typeof value === 'string' ? '_files' : `compadd -- ${value.join(' ')}`
      return [`    '${path} ${flag}') ${act} ;;`]
    }),
  )
  return `#compdef ${name}
# Completion of ${name} for zsh. Put it where fpath leads, as _${name}; or: source <(${name} completion zsh)
_${name}_takers() {
  case "$1" in
${takers.join('\n')}
    *) reply=() ;;
  esac
}
_${name}() {
  local at='${name}' word i skip='' last='' files=''
  local -a commands options reply
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    last=''
    if [[ -n $skip ]]; then skip=''; continue; fi
    if [[ $word == -* ]]; then
      _${name}_takers "$at"
      if (( \${reply[(Ie)$word]} )); then skip=1; last="$word"; fi
      continue
    fi
    case "$at $word" in
${steps.join('\n')}
    esac
  done
  if [[ -n $last ]]; then
    case "$at $last" in
${values.join('\n')}
    esac
    return
  fi
  case "$at" in
${cases.join('\n')}
  esac
  (( \${#commands} )) && _describe command commands
  [[ -n $files ]] && _files
  _describe option options
}
if [[ "\${funcstack[1]}" == "_${name}" ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`
}
