import {
  assert,
  type BlockHash,
  blockHash,
  fromHex,
  isHash,
  type Txid,
} from '@kaccy/bitcoin/kernel'
import { decodeTransaction, type Transaction, txidOf } from '@kaccy/bitcoin/protocol/transaction'
import { type BuiltBlock, buildBlock } from './block.ts'
import type { SignedTransaction, Strangers } from './strangers.ts'

export type Rpc = (method: string, params?: readonly unknown[]) => Promise<unknown>

export interface RegtestOptions {
  readonly rpc: Rpc
  readonly strangers: Strangers
  /** Seconds since the epoch, for new blocks. */
  readonly now: () => number
  /** Forces a transaction out of the mempool; only a devnet can. */
  readonly evict?: (txid: Txid) => void
}

/** Blocks that are spent before the strangers' coins are mature (Core: COINBASE_MATURITY). */
const MATURITY = 100

/** A regtest chain of any node, moved block by block: every block is built here and holds exactly what a test says. */
export class RegtestChain {
  readonly #options: RegtestOptions
  readonly #hashes: BlockHash[] = []
  readonly #contents = new Map<BlockHash, readonly Transaction[]>()
  #start = 0
  #time = 0
  #nonce = 0

  constructor(options: RegtestOptions) {
    this.#options = options
  }
  get height(): number {
    return this.#start + this.#hashes.length - 1
  }
  get canEvict(): boolean {
    return this.#options.evict !== undefined
  }

  /** Begins on the node's present tip and matures `coins` coins for the strangers. */
  async prepare(coins: number, maturity = MATURITY): Promise<void> {
    const { rpc, strangers } = this.#options
    this.#start = Number(await rpc('getblockcount'))
    const best = await this.#bestHash()
    this.#hashes.push(best)
    // Blocks of an earlier test may lie ahead of the clock.
    const header = (await rpc('getblockheader', [best, true])) as { readonly time: number }
    this.#time = header.time
    const made: BuiltBlock[] = []
    for (let i = 0; i < coins + maturity; i++) made.push(await this.mine([], strangers.script))
    for (const { coinbase } of made.slice(0, coins)) {
      const [output] = coinbase.outputs
      if (output) strangers.receive({ point: { txid: txidOf(coinbase), vout: 0 }, ...output })
    }
  }
  async #bestHash(): Promise<BlockHash> {
    const hash = await this.#options.rpc('getbestblockhash')
    if (!isHash(hash)) throw new TypeError('getbestblockhash is no hash')
    return blockHash(hash)
  }

  /** Mines one block with exactly these transactions. */
  async mine(transactions: readonly Transaction[], to?: Uint8Array): Promise<BuiltBlock> {
    const block = this.#build(this.height, transactions, to)
    await this.#submit(block)
    this.#hashes.push(block.hash)
    return block
  }
  #build(
    onHeight: number,
    transactions: readonly Transaction[],
    to?: Uint8Array,
    prev?: BlockHash,
  ): BuiltBlock {
    this.#time = Math.max(this.#time + 1, this.#options.now())
    this.#nonce += 1
    const block = buildBlock({
      prev: prev ?? (this.#hashes[onHeight - this.#start] as BlockHash),
      height: onHeight + 1,
      time: this.#time,
      transactions,
      coinbaseTo: to ?? this.#options.strangers.script,
      nonce: this.#nonce,
    })
    this.#contents.set(block.hash, transactions)
    return block
  }
  async #submit(block: BuiltBlock): Promise<void> {
    const answer = await this.#options.rpc('submitblock', [block.hex])
    // A block on a side branch is taken without being judged yet.
    if (answer !== null && answer !== 'inconclusive')
      throw new TypeError(`submitblock: ${String(answer)}`)
  }

  /** Drops the last blocks and mines others instead; a branch that is not longer wins by invalidating the old one. */
  async reorg(
    drop: number,
    blocks: readonly (readonly Transaction[])[],
    lose: readonly Txid[] = [],
  ): Promise<void> {
    const { rpc, evict } = this.#options
    const fork = this.height - drop
    const dropped = this.#hashes.slice(fork - this.#start + 1)
    if (blocks.length <= drop) await rpc('invalidateblock', [dropped[0]])
    this.#hashes.length = fork - this.#start + 1
    for (const transactions of blocks) {
      const block = this.#build(this.height, transactions)
      await this.#submit(block)
      this.#hashes.push(block.hash)
    }
    if ((await this.#bestHash()) !== this.#hashes.at(-1))
      throw new TypeError('the new branch did not win')
    for (const txid of lose) if (await this.inMempool(txid)) this.#evictOrFail(evict, txid)
  }
  #evictOrFail(evict: RegtestOptions['evict'], txid: Txid): void {
    if (!evict) throw new TypeError(`this node cannot be made to lose ${txid}`)
    evict(txid)
  }

  /** What the best chain has since `prepare`, in its order and without coinbases. */
  get mined(): readonly Transaction[] {
    return this.#hashes.flatMap((hash) => this.#contents.get(hash) ?? [])
  }
  /** The whole mempool, parents before their children. */
  async mempool(): Promise<readonly Transaction[]> {
    const { rpc } = this.#options
    const waiting = new Map<Txid, Transaction>()
    for (const txid of (await rpc('getrawmempool')) as readonly Txid[]) {
      const decoded = decodeTransaction(fromHex(String(await rpc('getrawtransaction', [txid, 0]))))
      assert(decoded.ok, 'a transaction of the mempool')
      waiting.set(txid, decoded.value)
    }
    const ordered = new Set<Transaction>()
    const add = (transaction: Transaction | undefined) => {
      if (!transaction || ordered.has(transaction)) return
      for (const { txid } of transaction.inputs) add(waiting.get(txid))
      ordered.add(transaction)
    }
    for (const transaction of waiting.values()) add(transaction)
    return [...ordered]
  }
  async inMempool(txid: Txid): Promise<boolean> {
    const list = await this.#options.rpc('getrawmempool')
    return Array.isArray(list) && list.includes(txid)
  }
  /** True when the node took it; false when its policy or the chain forbids it now. */
  async send(transaction: SignedTransaction): Promise<boolean> {
    try {
      await this.#options.rpc('sendrawtransaction', [transaction.hex])
      return true
    } catch {
      return false
    }
  }
  evict(txid: Txid): void {
    this.#evictOrFail(this.#options.evict, txid)
  }
}
