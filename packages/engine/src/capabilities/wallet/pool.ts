import type { WalletId } from '../../kernel/index.ts'
import { type DerivedScript, openDescriptor, type ScriptSource } from './derivation.ts'
import { lookaheadOf, windowStep } from './policy.ts'
import type { KeychainRecord, WalletRecord } from './ports.ts'

/** Scripts derived by one `prepare`: a few milliseconds, so that no request pays for the two hundred after it. */
const SLICE = 16

interface Stock {
  readonly from: number
  readonly scripts: readonly DerivedScript[]
}

/**
 * Scripts derived before they are needed, so that a transaction that holds a keychain's lock seldom derives any.
 *
 * Only a cache of a pure function of the descriptor: it may be empty, late or unused and changes no answer. Bounded by
 * one window step for each branch that this process reveals from.
 */
export interface ScriptPool {
  /** The scripts of `from` (inclusive) to `to` (exclusive); derives those that are not in stock. */
  take(wallet: WalletRecord, branch: number, from: number, to: number): readonly DerivedScript[]
  /** Notes where the window of a keychain ends now: stock begins there. */
  note(keychain: KeychainRecord): void
  /** Derives some of the next step of every branch of the wallet that has been noted. Call it before each reveal. */
  prepare(wallet: WalletRecord): void
}

export function createScriptPool(): ScriptPool {
  const sources = new Map<WalletId, ScriptSource>()
  const stocks = new Map<string, Stock>()
  const ends = new Map<string, number>()

  const sourceOf = (wallet: WalletRecord): ScriptSource => {
    const known = sources.get(wallet.id)
    if (known) return known
    const source = openDescriptor(wallet.descriptor, wallet.network)
    sources.set(wallet.id, source)
    return source
  }
  const inStock = (key: string, from: number, to: number): readonly DerivedScript[] => {
    const stock = stocks.get(key)
    if (!stock || from < stock.from || from >= stock.from + stock.scripts.length) return []
    return stock.scripts.slice(from - stock.from, to - stock.from)
  }
  return {
    take(wallet, branch, from, to) {
      const ready = inStock(keyOf(wallet.id, branch), from, to)
      const next = from + ready.length
      if (next >= to) return ready
      return [...ready, ...sourceOf(wallet).derive(branch, next, to - next)]
    },
    note(keychain) {
      ends.set(keyOf(keychain.wallet, keychain.branch), keychain.watchedTo)
    },
    prepare(wallet) {
      const source = sourceOf(wallet)
      for (const branch of source.branches) {
        const key = keyOf(wallet.id, branch)
        const from = ends.get(key)
        if (from === undefined || !source.ranged) continue
        // The window grows by its step and the one index that asked for it.
        const count = windowStep(lookaheadOf(wallet, branch)) + 1
        const ready = inStock(key, from, from + count)
        if (ready.length === count) continue
        const slice = Math.min(SLICE, count - ready.length)
        const missing = source.derive(branch, from + ready.length, slice)
        stocks.set(key, { from, scripts: [...ready, ...missing] })
      }
    },
  }
}

const keyOf = (wallet: WalletId, branch: number): string => `${wallet}/${branch}`
