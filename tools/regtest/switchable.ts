import type { ChainSource } from '@kaccy/bitcoin/chain'
import { EngineError } from '@kaccy/bitcoin/kernel'

/** A source that a test can cut off: while `down`, nobody answers. */
export type Switchable = { -readonly [K in keyof ChainSource]: ChainSource[K] } & { down: boolean }

export function switchable(source: ChainSource): Switchable {
  const ask = <T>(question: () => Promise<T>): Promise<T> =>
    outer.down
      ? Promise.reject(new EngineError('NODE_UNREACHABLE', 'the node is cut off'))
      : question()
  const outer: Switchable = {
    down: false,
    info: () => ask(() => source.info()),
    hashAt: (height) => ask(() => source.hashAt(height)),
    header: (hash) => ask(() => source.header(hash)),
    block: (ref) => ask(() => source.block(ref)),
    mempool: (epoch) => ask(() => source.mempool(epoch)),
    mempoolTransactions: (txids) => ask(() => source.mempoolTransactions(txids)),
    coins: (points) => ask(() => source.coins(points)),
  }
  const { feeRates, fees, scanCoins, transaction } = source
  if (fees) outer.fees = () => ask(() => fees())
  if (feeRates) outer.feeRates = (txids) => ask(() => feeRates(txids))
  if (scanCoins) outer.scanCoins = (ranges) => ask(() => scanCoins(ranges))
  if (transaction) outer.transaction = (txid, block) => ask(() => transaction(txid, block))
  return outer
}
