import type { Flag, Node } from './tree.ts'

const safe = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")

/** A completion for fish, with what each command and flag does. */
export function fishScript(nodes: readonly Node[]): string {
  const name = nodes[0]?.path ?? ''
  const lines = nodes.flatMap(({ path, children, flags, takesFile }) => {
    const at = path.split(' ').slice(1).join(' ')
    const here = `complete -c ${name} -n '__${name}_at ${at}'`
    return [
      ...children.map((child) => `${here} -a ${child.name} -d '${safe(child.about)}'`),
      ...flags.map((flag) => `${here} ${flagWords(flag)} -d '${safe(flag.about)}'`),
      ...(takesFile ? [`${here} -F`] : []),
    ]
  })
  const known = nodes.map(({ path }) => `'${path.split(' ').slice(1).join(' ')}'`)
  return `# Completion of ${name} for fish. Put it into ~/.config/fish/completions/${name}.fish
set -g __${name}_known ${known.join(' ')}
function __${name}_at
    set -l at
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; and continue
        set -l next (string join ' ' $at $word)
        contains -- "$next" $__${name}_known; and set at $at $word
    end
    test "$argv" = "$at"
end
complete -c ${name} -f
${lines.join('\n')}
`
}

function flagWords({ name, value }: Flag): string {
  const word = `-l ${name.replace(/^--/, '')}`
  if (value === 'none') return word
  if (value === 'file') return `${word} -r -F`
  return value === 'word' ? `${word} -x` : `${word} -x -a '${value.join(' ')}'`
}
