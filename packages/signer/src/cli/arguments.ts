import { parseArgs } from 'node:util'
import { SignerFailure } from '../failure.ts'

/** A command line that cannot be understood: exit code 2. */
export class UsageFailure extends SignerFailure {}

export interface Arguments {
  readonly words: readonly string[]
  text(name: string): string | undefined
  texts(name: string): readonly string[]
  flag(name: string): boolean
  /** @throws UsageFailure when it is missing. */
  needed(name: string): string
  /** Whole satoshis or counts. @throws UsageFailure */
  count(name: string): number | undefined
}

const TEXT = { type: 'string' } as const
const OPTIONS = {
  home: TEXT,
  'passphrase-file': TEXT,
  network: TEXT,
  'receipt-key': { type: 'string', multiple: true },
  listen: TEXT,
  socket: TEXT,
  'scrypt-log-n': TEXT,
  'mnemonic-file': TEXT,
  'bip39-passphrase-file': TEXT,
  generate: { type: 'boolean' },
  name: TEXT,
  descriptor: TEXT,
  'descriptor-file': TEXT,
  fingerprint: TEXT,
  path: TEXT,
  'max-transaction-sat': TEXT,
  'max-day-sat': TEXT,
  'max-fee-sat': TEXT,
  'max-fee-rate-sat-kvb': TEXT,
  'min-fee-rate-sat-kvb': TEXT,
  'change-index-max': TEXT,
  'min-approvals': TEXT,
  psbt: TEXT,
  receipt: TEXT,
  out: TEXT,
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

/** @throws UsageFailure */
export function parseArguments(line: readonly string[]): Arguments {
  try {
    const { values, positionals } = parseArgs({
      args: [...line],
      options: OPTIONS,
      allowPositionals: true,
      strict: true,
    })
    return argumentsOf(values as Readonly<Record<string, unknown>>, positionals)
  } catch (error) {
    // The message of Node names the option and never its value.
    throw new UsageFailure(
      error instanceof Error ? error.message : 'a command line that cannot be read',
    )
  }
}

function argumentsOf(
  values: Readonly<Record<string, unknown>>,
  words: readonly string[],
): Arguments {
  const text = (name: string) => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  return {
    words,
    text,
    texts: (name) => (Array.isArray(values[name]) ? (values[name] as string[]) : []),
    flag: (name) => values[name] === true,
    needed(name) {
      const value = text(name)
      if (value === undefined) throw new UsageFailure(`--${name} is missing`)
      return value
    },
    count(name) {
      const value = text(name)
      if (value === undefined) return undefined
      if (!/^(0|[1-9]\d{0,15})$/.test(value)) throw new UsageFailure(`--${name} is a whole number`)
      return Number(value)
    },
  }
}
