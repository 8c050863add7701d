import type { Command } from 'commander'
import { EXIT } from '../shell.ts'
import { readChoice } from './arguments.ts'
import { type Bind, examples } from './context.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

/** `kaccy completion bash|zsh|fish`, made from the commands that there are. */
export function addCompletion(program: Command, bind: Bind): void {
  const completion = program
    .command('completion <shell>')
    .description('a script that completes commands and flags: bash, zsh or fish')
  examples(completion, [
    'source <(kaccy completion bash)',
    'kaccy completion zsh > ~/.zfunc/_kaccy',
    'kaccy completion fish > ~/.config/fish/completions/kaccy.fish',
  ])
  bind(completion, async (context, [word = '']) => {
    const shell = readChoice(word, SHELLS, 'shell')
    const [{ nodesOf }, { bashScript }, { zshScript }, { fishScript }] = await Promise.all([
      import('./completion/tree.ts'),
      import('./completion/bash.ts'),
      import('./completion/zsh.ts'),
      import('./completion/fish.ts'),
    ])
    const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript }
    context.shell.stdout.write(scripts[shell](nodesOf(program)))
    return EXIT.ok
  })
}
