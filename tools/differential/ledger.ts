import type { Moment } from './conditions.ts'
import type { Lock } from './locks.ts'
import { txidOf, type WireOutput, type WireTransaction } from './wire.ts'

/** An output that was ever created, with the lock that the generator put on it. */
export interface Coin extends WireOutput {
  readonly txid: string
  readonly vout: number
  readonly key: string
  readonly lock: Lock | undefined
  /** Height of its block; one above the tip while unconfirmed. */
  readonly height: number
  readonly coinbase: boolean
}
export interface BuiltBlock {
  readonly hash: string
  readonly parent: BuiltBlock | undefined
  readonly height: number
  readonly time: number
  /** Median time of it and the ten before. */
  readonly medianTime: number
  readonly hex: string
  readonly transactions: readonly WireTransaction[]
}
export const keyOf = (txid: string, vout: number): string => `${txid}:${vout}`
export const MATURITY = 100

/** Nobody can spend these, and no node keeps them. */
const dead = ({ script }: WireOutput): boolean => script[0] === 0x6a || script.length > 10_000

/** What the generator knows: locks, blocks in a tree, and the coins at one place of it. Not a judge: nodes are. */
export class Ledger {
  readonly coins = new Map<string, Coin>()
  /** Every output of a block that was once the tip. */
  readonly ever = new Map<string, Coin>()
  readonly locks = new Map<string, Lock>()
  readonly blocks = new Map<string, BuiltBlock>()
  readonly #undo = new Map<string, readonly Coin[]>()
  /** Outputs created or spent since the last `takeTouched`. */
  #touched = new Set<string>()
  #tip: BuiltBlock

  readonly #wholeScripts: boolean

  constructor(genesis: BuiltBlock, wholeScripts = false) {
    this.#wholeScripts = wholeScripts
    this.#tip = genesis
    this.blocks.set(genesis.hash, genesis)
  }
  get tip(): BuiltBlock {
    return this.#tip
  }
  get moment(): Moment {
    const { height, medianTime } = this.#tip
    return { height, medianTime, wholeScripts: this.#wholeScripts }
  }
  register(lock: Lock): Uint8Array {
    this.locks.set(Buffer.from(lock.script).toString('hex'), lock)
    return lock.script
  }
  lockOf(script: Uint8Array): Lock | undefined {
    return this.locks.get(Buffer.from(script).toString('hex'))
  }
  coinsOf(transaction: WireTransaction, height: number, coinbase = false): Coin[] {
    const txid = txidOf(transaction)
    return transaction.outputs.map(({ value, script }, vout) => ({
      txid,
      vout,
      key: keyOf(txid, vout),
      value,
      script,
      lock: this.lockOf(script),
      height,
      coinbase,
    }))
  }
  takeTouched(): readonly string[] {
    const touched = [...this.#touched]
    this.#touched = new Set()
    return touched
  }
  /** Goes to another place of the tree, over the common ancestor. */
  moveTo(target: BuiltBlock): void {
    const way: BuiltBlock[] = []
    let from = this.#tip
    let to = target
    while (from !== to) {
      if (from.height >= to.height) {
        this.#revert(from)
        from = from.parent ?? to
      } else {
        way.push(to)
        to = to.parent ?? from
      }
    }
    for (const block of way.reverse()) this.#apply(block)
    this.#tip = target
  }
  #apply(block: BuiltBlock): void {
    const spent: Coin[] = []
    block.transactions.forEach((transaction, position) => {
      if (position > 0) {
        for (const { txid, vout } of transaction.inputs) {
          const key = keyOf(txid, vout)
          const coin = this.coins.get(key)
          if (coin) spent.push(coin)
          this.coins.delete(key)
          this.#touched.add(key)
        }
      }
      for (const coin of this.coinsOf(transaction, block.height, position === 0)) {
        this.ever.set(coin.key, coin)
        this.#touched.add(coin.key)
        if (!dead(coin)) this.coins.set(coin.key, coin)
      }
    })
    this.#undo.set(block.hash, spent)
  }
  #revert(block: BuiltBlock): void {
    for (const coin of this.#undo.get(block.hash) ?? []) {
      this.coins.set(coin.key, coin)
      this.#touched.add(coin.key)
    }
    for (const transaction of block.transactions) {
      const txid = txidOf(transaction)
      transaction.outputs.forEach((_, vout) => {
        this.coins.delete(keyOf(txid, vout))
        this.#touched.add(keyOf(txid, vout))
      })
    }
  }
}
