import { readFileSync } from 'node:fs'
import { SignerFailure } from '../failure.ts'
import { readPrivate } from '../home/files.ts'
import type { Arguments } from './arguments.ts'

/** Where a command runs. */
export interface Terminal {
  write(text: string): void
  warn(text: string): void
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Asks without showing what is typed; undefined where nobody sits. */
  ask(question: string): Promise<string | undefined>
  /** All of standard input. */
  readInput(): Uint8Array
  /** Aborted by Ctrl-C or SIGTERM. */
  readonly stop: AbortSignal
}

export const homeOf = (given: Arguments, { environment }: Terminal): string => {
  const home = given.text('home') ?? environment['KACCY_SIGNER_HOME']
  if (!home)
    throw new SignerFailure('name the home of the signer: --home DIR, or KACCY_SIGNER_HOME')
  return home
}

const firstLine = (text: string): string => text.split(/\r?\n/)[0] ?? ''

/**
 * The passphrase from a file, or asked for. Never an argument and never in the environment: both can be read by other processes.
 * @throws SignerFailure when there is none.
 */
export async function passphraseOf(
  given: Arguments,
  terminal: Terminal,
  isNew = false,
): Promise<string> {
  const file = given.text('passphrase-file') ?? terminal.environment['KACCY_SIGNER_PASSPHRASE_FILE']
  if (file) return firstLine(readPrivate(file))
  const first = await terminal.ask('Passphrase: ')
  if (first === undefined)
    throw new SignerFailure('nobody is there to be asked: give --passphrase-file')
  if (isNew && (await terminal.ask('Once more: ')) !== first) {
    throw new SignerFailure('the two are not the same')
  }
  return first
}

/** A file, or standard input for `-`. */
export function readBytes(path: string, terminal: Terminal): Uint8Array {
  if (path === '-') return terminal.readInput()
  try {
    return readFileSync(path)
  } catch {
    throw new SignerFailure(`${path} cannot be read`)
  }
}

/** The one line of a small file. */
export const readLine = (path: string, terminal: Terminal): string =>
  firstLine(Buffer.from(readBytes(path, terminal)).toString('utf8')).trim()
