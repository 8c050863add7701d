import { toHex } from '@kaccy/bitcoin/kernel'
import type { Devnet } from '@kaccy/devnet'

/** One output that the world made to an address of ours. */
export interface MadeOutput {
  readonly txid: string
  readonly vout: number
  readonly script: string
  readonly amount: bigint
  readonly coinbase: boolean
}
/** What must be true of one address under the node's present view. */
export interface Truth {
  readonly seen: bigint
  /** Sum at a depth, coinbase outputs only from 100 on. */
  readonly atDepth: (depth: number) => bigint
}

/**
 * What has to be booked, read off the node's chain without any memory of what happened on the way: walk the best chain,
 * note where each transaction is, and add up. It shares no code with the engine.
 */
export class Model {
  readonly #devnet: Devnet
  readonly #start: number
  readonly #outputs = new Map<string, MadeOutput[]>()
  #heights = new Map<string, number>()
  #tip = ''

  constructor(devnet: Devnet) {
    this.#devnet = devnet
    this.#start = devnet.view.tip().height
  }
  made(script: Uint8Array, output: Omit<MadeOutput, 'script'>): void {
    const key = toHex(script)
    const list = this.#outputs.get(key) ?? []
    if (list.some((known) => known.txid === output.txid && known.vout === output.vout)) return
    this.#outputs.set(key, [...list, { ...output, script: key }])
  }
  /** Height of every transaction that the best chain has above the start. */
  heights(): ReadonlyMap<string, number> {
    const { view } = this.#devnet
    const tip = view.tip()
    if (tip.hash === this.#tip) return this.#heights
    this.#tip = tip.hash
    this.#heights = new Map()
    for (let height = this.#start + 1; height <= tip.height; height++)
      for (const txid of view.blockTxids(view.hashAt(height) ?? '') ?? [])
        this.#heights.set(txid, height)
    return this.#heights
  }
  of(script: Uint8Array): Truth {
    const heights = this.heights()
    const tip = this.#devnet.view.tip().height
    const pool = new Set(this.#devnet.view.mempool())
    const outputs = this.#outputs.get(toHex(script)) ?? []
    const sum = (fits: (output: MadeOutput, depth: number) => boolean) =>
      outputs.reduce((total, output) => {
        const height = heights.get(output.txid)
        const depth = height === undefined ? (pool.has(output.txid) ? 0 : -1) : tip - height + 1
        return fits(output, depth) ? total + output.amount : total
      }, 0n)
    return {
      seen: sum((_, depth) => depth >= 0),
      atDepth: (least) =>
        sum((output, depth) => depth >= (output.coinbase ? Math.max(least, 100) : least)),
    }
  }
}
