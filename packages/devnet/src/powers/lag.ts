import type { BlockNode } from '../chain/node.ts'
import { ancestorAt } from '../chain/node.ts'
import { DevnetError } from '../failure.ts'
import { Regtest } from './regtest.ts'

/**
 * The same node as it would be had it not heard of the last `blocks` blocks: their transactions wait in its mempool, their
 * hashes are unknown to it. It stands still from now on; what it is given it passes on to the real one.
 * @throws DevnetError DEVNET_USAGE when there are not so many blocks.
 */
export function laggingCopy(regtest: Regtest, blocks: number): Regtest {
  const { height } = regtest.chain.tip
  if (!Number.isSafeInteger(blocks) || blocks < 0 || blocks > height) {
    throw new DevnetError('DEVNET_USAGE', `cannot lag ${blocks} blocks behind ${height}`)
  }
  const { stored: _, ...options } = regtest.options
  const copy = new Regtest(options)
  copy.load(regtest.save())
  const { chain } = copy
  const first = chain.active[height - blocks + 1]
  const change = { disconnected: [], connected: [] }
  for (let i = 0; i < blocks; i++) chain.disconnectTip(change)
  if (first) forgetBranch(copy, first)
  copy.mempool.follow(change)
  // One way only: news of the real node would end the lag.
  copy.peers.add(regtest)
  return copy
}

function forgetBranch({ chain }: Regtest, first: BlockNode): void {
  for (const [hash, node] of [...chain.nodes.entries()]) {
    if (node.height < first.height || ancestorAt(node, first.height) !== first) continue
    for (const { txid } of chain.blocks.get(hash)?.transactions ?? []) {
      if (chain.index.get(txid)?.hash === hash) chain.index.delete(txid)
    }
    chain.nodes.delete(hash)
    chain.blocks.delete(hash)
    chain.undo.delete(hash)
    chain.failures.delete(hash)
    chain.leaves.delete(node)
  }
  chain.leaves.add(chain.tip)
}
