import type { Entropy, OutPoint, Transactor } from '../../kernel/index.ts'
import { createOutpointSet } from './outpoint-set.ts'
import type { KeychainRecord, WalletRows } from './ports.ts'
import { createWatchSet } from './watch-set.ts'

/** Rows of one page: a statement of a few milliseconds. */
const PAGE = 10_000

/** Everything the chain follower looks for: the scripts of all wallets, and the coins whose spending concerns us. */
export interface WatchedScripts {
  /**
   * Takes up every script that any process has committed. Call it when the bytes of a block or of mempool transactions
   * have arrived and before they are scanned: an address is handed out only after its script was committed, so
   * whoever paid in those bytes paid to a script that this finds. Costs one statement when nothing is new. The first
   * call loads everything.
   */
  refresh(): Promise<void>
  /**
   * Adds what others committed since the last `refresh`, seen from inside a transaction. True when there was anything. The
   * next `refresh` reads it again: what the transaction itself has written may never be committed.
   */
  refreshIn(tx: { readonly wallet: WalletRows }): Promise<boolean>
  hasScript(bytes: Uint8Array, offset: number, length: number): boolean
  /** @param offset where 36 bytes of a raw input stand: hash in wire order, index little-endian */
  hasOutpoint(bytes: Uint8Array, offset: number): boolean
  addOutpoint(point: OutPoint): void
  /** Takes up scripts of a commit of this process without asking the database. Never needed for correctness. */
  addScripts(scripts: Iterable<{ readonly script: Uint8Array }>): void
  /**
   * Scripts in memory; only grows. When it grew while blocks were applied, those blocks may pay scripts that were not
   * watched when they were scanned: scan them again.
   */
  readonly size: number
}

/** Watches nothing until the first `refresh`. Scripts cost about 20 bytes each in memory. */
export function createWatchedScripts({
  store,
  entropy,
}: {
  readonly store: Transactor<{ readonly wallet: WalletRows }>
  readonly entropy: Entropy
}): WatchedScripts {
  let scripts = createWatchSet(entropy)
  const outpoints = createOutpointSet(entropy)
  /** The end of each keychain's window that is in memory. Windows are dense and only grow, so one number says it all. */
  const loadedTo = new Map<string, number>()
  let isLoaded = false
  let turn: Promise<void> = Promise.resolve()

  const add = (script: Uint8Array): void => {
    scripts.add(script, 0)
  }

  /** Everything at once: only bytes are read, in the order of insertion. */
  async function loadAll(rows: WalletRows): Promise<void> {
    // The windows first: what they promise is in the table already, whatever is inserted while the pages are read.
    const keychains = await rows.keychains()
    const expected = keychains.reduce((sum, { watchedTo }) => sum + watchedTo, 0)
    // Room for all at once: a set that grows by doubling would move every script several times.
    if (scripts.size === 0) scripts = createWatchSet(entropy, expected)
    let after: string | undefined
    do {
      const page = await rows.scripts(after, PAGE)
      for (const script of page.scripts) add(script)
      after = page.next
    } while (after !== undefined)
    for (const keychain of keychains) loadedTo.set(keyOf(keychain), keychain.watchedTo)
  }

  async function loadNew(rows: WalletRows, isCommitted: boolean): Promise<boolean> {
    let grew = false
    for (const keychain of await rows.keychains()) {
      let next = loadedTo.get(keyOf(keychain)) ?? 0
      while (next < keychain.watchedTo) {
        grew = true
        const { wallet, branch } = keychain
        const page = await rows.listAddresses({
          wallet,
          branch,
          ...(next === 0 ? {} : { after: { wallet, branch, index: next - 1 } }),
          limit: Math.min(PAGE, keychain.watchedTo - next),
        })
        for (const row of page) add(row.script)
        const last = page.at(-1)
        if (!last) break
        next = last.index + 1
        if (isCommitted) loadedTo.set(keyOf(keychain), next)
      }
    }
    return grew
  }

  return {
    refresh() {
      const mine = turn.then(() =>
        store.read(async (tx) => {
          await (isLoaded ? loadNew(tx.wallet, true) : loadAll(tx.wallet))
          isLoaded = true
        }),
      )
      // The caller hears of a failure; the next refresh begins anew where this one stopped.
      turn = mine.then(rest, rest)
      return mine
    },
    refreshIn: (tx) => loadNew(tx.wallet, false),
    hasScript: (bytes, offset, length) => scripts.find(bytes, offset, length) >= 0,
    hasOutpoint: (bytes, offset) => outpoints.has(bytes, offset),
    addOutpoint(point) {
      outpoints.add(point)
    },
    addScripts(added) {
      for (const { script } of added) add(script)
    },
    get size() {
      return scripts.size
    },
  }
}

const rest = (): void => {}
const keyOf = (keychain: KeychainRecord): string => `${keychain.wallet}/${keychain.branch}`
