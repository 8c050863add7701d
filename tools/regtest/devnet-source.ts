import { GENESIS } from '@kaccy/bitcoin/chain'
import {
  type BlockHash,
  blockHash,
  EngineError,
  isHash,
  sat,
  type Txid,
  tryFromHex,
} from '@kaccy/bitcoin/kernel'
import { type Devnet, TransportFault } from '@kaccy/devnet'
import { type Switchable, switchable } from './switchable.ts'

/**
 * The devnet as a chain source without HTTP and JSON, so that thousands of schedules take minutes. The bitcoind adapter
 * over HTTP passes the same scenarios; `test/regtest` holds the two side by side.
 */
export function devnetSource(devnet: Devnet): Switchable {
  let epoch = 0
  let lastStart = -1
  const reachable = () => {
    // Armed faults and a devnet that was taken down answer here, as they would over HTTP.
    return devnet.rpc('uptime').catch((error: unknown) => {
      if (error instanceof TransportFault) throw new EngineError('NODE_UNREACHABLE', String(error))
      throw error
    })
  }
  const refOf = ({ height, hash }: { height: number; hash: string }) => ({
    height,
    hash: blockHash(hash),
  })
  return switchable({
    async info() {
      await reachable()
      const tip = devnet.view.tip()
      return {
        network: 'regtest',
        genesis: GENESIS.regtest,
        tip: refOf(tip),
        headers: tip.height,
        initialBlockDownload: devnet.posture.initialBlockDownload,
      }
    },
    async hashAt(height) {
      await reachable()
      const hash = devnet.view.hashAt(height)
      return isHash(hash) ? blockHash(hash) : undefined
    },
    async header(hash) {
      await reachable()
      const header = devnet.view.header(hash)
      return header && { ...header, hash: blockHash(header.hash), prev: header.prev as BlockHash }
    },
    async block({ height, hash }) {
      await reachable()
      const bytes = devnet.view.block(hash)
      if (bytes) return bytes
      throw new EngineError('NODE_BLOCK_PRUNED', `block ${height} is gone`, {
        details: { height, hash },
      })
    },
    async mempool() {
      const uptime = Number(await reachable())
      if (lastStart >= 0 && uptime < lastStart) epoch += 1
      lastStart = uptime
      const txids = devnet.view.mempool() as readonly Txid[]
      return { txids, loaded: devnet.posture.mempoolLoaded, epoch: `life ${epoch}` }
    },
    async mempoolTransactions(txids) {
      await reachable()
      return txids.map((txid) => devnet.view.mempoolTransaction(txid))
    },
    async transaction(txid, block) {
      await reachable()
      if (!block) return devnet.view.mempoolTransaction(txid)
      if (!devnet.view.blockTxids(block.hash)?.includes(txid)) return undefined
      return tryFromHex(String(await devnet.rpc('getrawtransaction', [txid, 0, block.hash])))
    },
    async coins(points) {
      await reachable()
      return points.map(({ txid, vout }) => {
        const coin = devnet.view.coin(txid, vout)
        return (
          coin && {
            amount: sat(coin.value),
            script: coin.script,
            confirmations: Math.max(0, coin.confirmations),
            coinbase: coin.coinbase,
          }
        )
      })
    },
  })
}
