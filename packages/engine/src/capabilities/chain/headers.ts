import type { Transactor } from '../../kernel/index.ts'
import { type ChainTx, readChain } from './follower-options.ts'
import type { ChainHeader, ChainSource } from './ports.ts'

const HEADERS_PER_COMMIT = 500

/**
 * Keeps headers from `height` on: walks down by hash from the lowest one we have, so that what is kept is one chain,
 * whether the node still thinks it the best or not.
 * @returns false when the node does not know the next one: it never had this chain
 */
export async function keepHeadersFrom<Tx extends ChainTx>(
  store: Transactor<Tx>,
  source: ChainSource,
  height: number,
): Promise<boolean> {
  for (;;) {
    const base = await readChain(store, (rows) => rows.base())
    if (!base || base.height <= Math.max(0, height)) return true
    const lower: ChainHeader[] = []
    let prev = base.prev
    const until = Math.max(0, height)
    for (let h = base.height - 1; h >= until && lower.length < HEADERS_PER_COMMIT; h--) {
      const header = await source.header(prev)
      if (!header) return false
      lower.push({ height: h, hash: header.hash, prev: header.prev, time: header.time })
      prev = header.prev
    }
    await store.transact(async (tx) => {
      await tx.chain.lockCursor()
      // Another process may have been faster; then its headers are as good as ours.
      if ((await tx.chain.base())?.hash === base.hash) await tx.chain.prepend(lower.reverse())
    })
  }
}
