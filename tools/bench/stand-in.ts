import { createHash } from 'node:crypto'
import { type ChainSource, GENESIS } from '@kaccy/bitcoin/chain'
import { type BlockHash, fromHex, sat, type Txid } from '@kaccy/bitcoin/kernel'
import type { Transaction } from '@kaccy/bitcoin/protocol/transaction'
import { buildBlock } from '../regtest/block.ts'

interface Kept {
  readonly hash: BlockHash
  readonly prev: BlockHash
  readonly time: number
  readonly bytes: Uint8Array
}
const START = 1_780_000_000
const MINER = Uint8Array.of(0, 20, ...new Uint8Array(20).fill(9))

/** A transaction that pays these scripts from nowhere: for blocks that are only read. */
export function paying(scripts: readonly Uint8Array[], nonce: number, amount: bigint): Transaction {
  // As random as real ones: tables that look at a few bytes only must find them spread.
  const txid = createHash('sha256').update(`${nonce}`).digest('hex') as Txid
  return {
    version: 2,
    inputs: [{ txid, vout: 0, script: new Uint8Array(0), sequence: 0xffff_fffd, witness: [] }],
    outputs: scripts.map((script) => ({ amount: sat(amount), script })),
    lockTime: 0,
  }
}

/** A node that answers at once from memory, so that a benchmark measures us and the database. */
export class StandIn {
  readonly #blocks: Kept[] = []
  readonly #byHash = new Map<string, { readonly height: number } & Kept>()
  #prev: BlockHash = GENESIS.regtest

  constructor() {
    this.mine([])
  }
  get height(): number {
    return this.#blocks.length
  }
  mine(transactions: readonly Transaction[]): void {
    const height = this.#blocks.length + 1
    const time = START + height
    const built = buildBlock({
      prev: this.#prev,
      height,
      time,
      transactions,
      coinbaseTo: MINER,
      nonce: height,
    })
    const kept = { hash: built.hash, prev: this.#prev, time, bytes: fromHex(built.hex) }
    this.#blocks.push(kept)
    this.#byHash.set(built.hash, { ...kept, height })
    this.#prev = built.hash
  }
  /** The chain as it was when it had `height` blocks: a node that gets to know the rest later. */
  source(visible: () => number = () => this.height): ChainSource {
    const at = (height: number) => (height <= visible() ? this.#blocks[height - 1] : undefined)
    return {
      info: async () => ({
        network: 'regtest',
        genesis: GENESIS.regtest,
        tip: { height: visible(), hash: at(visible())?.hash ?? GENESIS.regtest },
        headers: visible(),
        initialBlockDownload: false,
      }),
      hashAt: async (height) => at(height)?.hash,
      header: async (hash) => {
        const found = this.#byHash.get(hash)
        return found && { ...found, onBestChain: found.height <= visible() }
      },
      block: async ({ hash }) => this.#byHash.get(hash)?.bytes ?? new Uint8Array(0),
      mempool: async () => ({ txids: [], loaded: true, epoch: 'stand-in' }),
      mempoolTransactions: async (txids) => txids.map(() => undefined),
      coins: async (points) => points.map(() => undefined),
    }
  }
}
