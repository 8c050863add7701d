import type { Command, Option } from 'commander'

/** What can follow on a command line, taken from the commands themselves. */
export interface Node {
  /** `kaccy wallet list` */
  readonly path: string
  readonly about: string
  readonly children: readonly Child[]
  readonly flags: readonly Flag[]
  /** Whether an argument names a file. */
  readonly takesFile: boolean
}
export interface Child {
  readonly name: string
  readonly about: string
}
export interface Flag {
  /** `--json` */
  readonly name: string
  readonly about: string
  readonly value: 'none' | 'word' | 'file' | readonly string[]
}

/** Words that a value can be, by flag; what differs between commands stands in the description of the flag. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  '--network': ['main', 'test', 'testnet4', 'signet', 'regtest'],
  '--log-level': ['debug', 'info', 'warn', 'error'],
  '--script-type': ['p2pkh', 'p2sh-p2wpkh', 'p2wpkh', 'p2tr'],
  '--format': ['csv', 'jsonl'],
}
const FILE = /<(?:file|dir)\b/

/** Every command of a program, the program first. */
export function nodesOf(command: Command, path = command.name()): Node[] {
  const inner = command.commands.filter((child) => child.name() !== 'help')
  const node: Node = {
    path,
    about: command.description(),
    children: inner.map((child) => ({ name: child.name(), about: child.description() })),
    flags: [...command.options.map(flagOf), HELP],
    takesFile: command.registeredArguments.some((argument) => argument.name() === 'file'),
  }
  return [node, ...inner.flatMap((child) => nodesOf(child, `${path} ${child.name()}`))]
}

const HELP: Flag = { name: '--help', about: 'what it does, with examples', value: 'none' }

function flagOf({ long, short, flags, description }: Option): Flag {
  const name = long ?? short ?? ''
  return { name, about: description, value: flagValue(name, flags, description) }
}

/** `pending, unconfirmed, confirmed`: a description that only lists words is the list of values. */
const WORDS = /^[a-z_]+(?:, [a-z_]+)+(?: or [a-z_]+)?$|^[a-z]+ or [a-z]+$/

function flagValue(name: string, flags: string, description: string): Flag['value'] {
  if (!/[<[]/.test(flags)) return 'none'
  if (FILE.test(flags)) return 'file'
  const choices = CHOICES[name]
  if (choices) return choices
  return WORDS.test(description) ? description.split(/, | or /) : 'word'
}
