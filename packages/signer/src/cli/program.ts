import { createDesk, isNeededAt } from '../desk.ts'
import { SignerFailure } from '../failure.ts'
import { type Home, openHome } from '../home/home.ts'
import { type Arguments, parseArguments, UsageFailure } from './arguments.ts'
import { addKey, changeReceiptKey, init, token, xpub } from './keys.ts'
import { RefusedFailure, serve, signFile } from './sign.ts'
import { homeOf, passphraseOf, type Terminal } from './terminal.ts'
import { status, wallets } from './wallets.ts'

export const EXIT = { ok: 0, failure: 1, usage: 2, refused: 3 } as const

const HELP = `kaccy-signer signs Bitcoin transactions that come with a policy receipt.

  init --network NET --receipt-key HEX [--listen HOST:PORT | --socket PATH]
                                  makes a home; shows the bearer token once
  add-key [--mnemonic-file FILE | --generate] [--bip39-passphrase-file FILE]
  xpub --path 84h/0h/0h [--fingerprint FP]
                                  a key as it stands in a descriptor
  wallets [list | add | remove]   add: --name --descriptor | --descriptor-file
                                  --max-transaction-sat --max-day-sat [--max-fee-sat
                                  --max-fee-rate-sat-kvb --min-fee-rate-sat-kvb
                                  --change-index-max --min-approvals]
  receipt-key add | remove HEX    the engine's public key
  token                           another bearer token
  serve                           HTTP on this machine
  sign --psbt FILE --receipt FILE [--out FILE]
                                  without a network; - is standard input
  status                          checks keys and journal, shows what the day has left

Everywhere: --home DIR (or KACCY_SIGNER_HOME), --passphrase-file FILE (or
KACCY_SIGNER_PASSPHRASE_FILE; asked for otherwise), --json for wallets and status.
Exit codes: 0 done, 1 failed, 2 the command line, 3 refused to sign.
`

type Command = (given: Arguments, home: Home, terminal: Terminal) => void | Promise<void>

const COMMANDS: Readonly<Record<string, Command>> = {
  'add-key': addKey,
  xpub,
  wallets,
  'receipt-key': changeReceiptKey,
  token: (_, home, terminal) => token(home, terminal),
  serve: (_, home, terminal) => serve(home, createDesk(home), terminal),
  sign: (given, home, terminal) => signFile(given, createDesk(home), terminal),
  status: (given, home, terminal) => status(given, home, createDesk(home), terminal),
}

async function run(given: Arguments, terminal: Terminal): Promise<void> {
  const [name = ''] = given.words
  if (name === 'init') return init(given, terminal)
  const command = COMMANDS[name]
  if (!command) throw new UsageFailure(name === '' ? 'a command is missing' : `no command ${name}`)
  const passphrase = await passphraseOf(given, terminal)
  const home = openHome(homeOf(given, terminal), passphrase, isNeededAt(Date.now()))
  try {
    await command(given, home, terminal)
  } finally {
    home.close()
  }
}

/** Runs one command line and answers the exit code. */
export async function runProgram(line: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const given = parseArguments(line)
    if (given.flag('help') || line.length === 0) {
      terminal.write(HELP)
      return EXIT.ok
    }
    await run(given, terminal)
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof SignerFailure)) throw error
    terminal.warn(`kaccy-signer: ${error.message}\n`)
    if (error instanceof UsageFailure) terminal.warn('kaccy-signer --help shows what can be said\n')
    return error instanceof RefusedFailure
      ? EXIT.refused
      : error instanceof UsageFailure
        ? EXIT.usage
        : EXIT.failure
  }
}
