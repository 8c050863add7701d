import type { Coin } from '../chain/node.ts'
import type { Regtest } from './regtest.ts'

export interface BlockPoint {
  readonly height: number
  readonly hash: string
}
export interface HeaderView extends BlockPoint {
  readonly prev: string
  /** Seconds since the epoch. */
  readonly time: number
  readonly onBestChain: boolean
}

/** The chain as plain values, without JSON and without faults: for simulations and assertions. */
export class ChainView {
  readonly #regtest: Regtest

  constructor(regtest: Regtest) {
    this.#regtest = regtest
  }
  tip(): BlockPoint {
    const { height, hash } = this.#regtest.chain.tip
    return { height, hash }
  }
  hashAt(height: number): string | undefined {
    return this.#regtest.chain.active[height]?.hash
  }
  header(hash: string): HeaderView | undefined {
    const { chain } = this.#regtest
    const node = chain.nodes.get(hash)
    if (!node) return undefined
    const { header, height } = node
    const onBestChain = chain.isActive(node)
    return { height, hash, prev: header.prev, time: header.time, onBestChain }
  }
  /** Raw block, shared: do not change it. Undefined when unknown or pruned. */
  block(hash: string): Uint8Array | undefined {
    return this.#regtest.chain.blocks.get(hash)?.raw
  }
  /** Txids of a block in order. */
  blockTxids(hash: string): readonly string[] | undefined {
    return this.#regtest.chain.blocks.get(hash)?.transactions.map(({ txid }) => txid)
  }
  /** Txids of the mempool in order of arrival, but parents before children: a block may hold them like this. */
  mempool(): readonly string[] {
    const { pool } = this.#regtest.mempool
    const ordered = new Set<string>()
    const place = (txid: string): void => {
      const entry = pool.entries.get(txid)
      if (!entry || ordered.has(txid)) return
      for (const input of entry.transaction.inputs) place(input.txid)
      ordered.add(txid)
    }
    for (const txid of pool.entries.keys()) place(txid)
    return [...ordered]
  }
  mempoolTransaction(txid: string): Uint8Array | undefined {
    return this.#regtest.mempool.pool.entries.get(txid)?.transaction.raw
  }
  /** As `gettxout` sees it, unconfirmed spends and outputs included. */
  coin(txid: string, vout: number): (Coin & { readonly confirmations: number }) | undefined {
    const { chain, mempool } = this.#regtest
    const key = `${txid}:${vout}`
    if (mempool.pool.spenders.has(key)) return undefined
    const coin = mempool.coinAt(txid, key, vout)
    return coin && { ...coin, confirmations: chain.tip.height - coin.height + 1 }
  }
}
