import type { Store } from '@kaccy/bitcoin'
import { assert, equalBytes, fromHex, toHex, type Txid } from '@kaccy/bitcoin/kernel'
import { decodeTransaction, type Transaction } from '@kaccy/bitcoin/protocol/transaction'
import type { Devnet } from '@kaccy/devnet'

interface Seen {
  readonly txid: Txid
  readonly raw: string
  readonly transaction: Transaction
  /** Undefined while it waits. */
  readonly height: number | undefined
}

/** What the node has, read past every engine: who was paid, and by which transactions. */
export class ChainBook {
  readonly #devnet: Devnet
  readonly #known = new Map<string, Pick<Seen, 'raw' | 'transaction'>>()

  /** Transactions whose bytes were found in the store: they are never taken out again. */
  readonly checked = new Set<string>()
  /** Transactions that the store says were shown to signers. */
  readonly said = new Set<string>()

  constructor(devnet: Devnet) {
    this.#devnet = devnet
  }
  /** Everything but coinbases, of the best chain and of the mempool. */
  all(): readonly Seen[] {
    const { view } = this.#devnet
    const seen: Seen[] = []
    for (let height = 1; height <= view.tip().height; height++) {
      const hash = view.hashAt(height) ?? ''
      for (const txid of (view.blockTxids(hash) ?? []).slice(1))
        seen.push({ txid: txid as Txid, ...this.#read(txid, hash), height })
    }
    for (const txid of view.mempool())
      seen.push({ txid: txid as Txid, ...this.#read(txid), height: undefined })
    return seen
  }
  #read(txid: string, ...block: string[]): Pick<Seen, 'raw' | 'transaction'> {
    const known = this.#known.get(txid)
    if (known) return known
    const raw = String(this.#devnet.call('getrawtransaction', [txid, 0, ...block]))
    const decoded = decodeTransaction(fromHex(raw))
    assert(decoded.ok, 'a transaction of the node')
    const read = { raw, transaction: decoded.value }
    this.#known.set(txid, read)
    return read
  }
  /** What the best chain pays to these scripts: how often, and how much, by script in hex. */
  paid(): ReadonlyMap<string, { readonly times: number; readonly amount: bigint }> {
    const paid = new Map<string, { times: number; amount: bigint }>()
    for (const { transaction, height } of this.all())
      if (height !== undefined)
        for (const { script, amount } of transaction.outputs) {
          const known = paid.get(toHex(script)) ?? { times: 0, amount: 0n }
          paid.set(toHex(script), { times: known.times + 1, amount: known.amount + amount })
        }
    return paid
  }
  /** Those that spend coins of our wallets. */
  async ours(store: Store): Promise<readonly Seen[]> {
    const scripts = await ourScripts(store)
    const all = this.all()
    const coins = new Set<string>()
    for (const { txid, transaction } of all)
      for (const [vout, { script }] of transaction.outputs.entries())
        if (scripts.has(toHex(script))) coins.add(`${txid}:${vout}`)
    return all.filter(({ transaction }) =>
      transaction.inputs.some(({ txid, vout }) => coins.has(`${txid}:${vout}`)),
    )
  }
}

const ourScripts = (store: Store): Promise<ReadonlySet<string>> =>
  store.read(async (tx) => {
    const scripts = new Set<string>()
    for (let after: string | undefined; ; ) {
      const page = await tx.wallet.scripts(after, 10_000)
      for (const script of page.scripts) scripts.add(toHex(script))
      after = page.next
      if (after === undefined) return scripts
    }
  })

/** Our transactions that the node has and the store has not, byte for byte (I5). */
export async function sentUnstored(
  store: Store,
  book: ChainBook,
  leaked: ReadonlySet<string>,
): Promise<readonly string[]> {
  const faults: string[] = []
  for (const { txid, raw } of await book.ours(store)) {
    if (leaked.has(txid) || book.checked.has(txid)) continue
    book.checked.add(txid)
    const version = await store.read((tx) => tx.spending.versionByTxid(txid))
    if (!version?.raw) faults.push(`${txid} was sent and its bytes are not stored`)
    else if (!equalBytes(version.raw, fromHex(raw)))
      faults.push(`${txid} was sent with other bytes than are stored`)
  }
  return faults
}

/** Transactions that a signer saw although the store does not say that they were shown. */
export async function shownUnsaid(
  store: Store,
  book: ChainBook,
  shown: readonly Txid[],
): Promise<readonly string[]> {
  const faults: string[] = []
  for (const txid of shown) {
    if (book.said.has(txid)) continue
    book.said.add(txid)
    const version = await store.read((tx) => tx.spending.versionByTxid(txid))
    if (version?.exposedAt === undefined) faults.push(`${txid} was shown to a signer, unsaid`)
  }
  return faults
}
