import type { NodeClock } from '../powers/clock.ts'
import type { Coins } from '../powers/coins.ts'
import type { Posture } from '../powers/posture.ts'
import type { Regtest } from '../powers/regtest.ts'
import type { Wallets } from '../wallet/wallets.ts'
import type { StatePart } from './keeper.ts'

/** Names and uses of the stranger's coins. */
export const coinsPart = (coins: Coins): StatePart => ({
  name: 'coins',
  save() {
    const { named, used, spends, next } = coins.save()
    return JSON.stringify({ named: [...named], used: [...used], spends: [...spends], next })
  },
  load(text) {
    const { named, used, spends, next } = JSON.parse(text)
    coins.load({ named: new Map(named), used: new Set(used), spends: new Map(spends), next })
  },
})
/** How far the clock has been moved. */
export const clockPart = (clock: NodeClock): StatePart => ({
  name: 'clock',
  save: () => JSON.stringify(clock.save()),
  load: (text) => clock.load(JSON.parse(text)),
})
/** What the mempool is beside its transactions, and how many blocks were mined. */
export const mempoolPart = (regtest: Regtest): StatePart => ({
  name: 'mempool',
  save() {
    const { mempool, mined } = regtest
    const { pool } = mempool
    const deltas = [...pool.deltas].map(([txid, delta]) => [txid, `${delta}`])
    const minimum = mempool.saveMinimum()
    return JSON.stringify({ sequence: pool.sequence, minimum, deltas, mined })
  },
  load(text) {
    const { sequence, minimum, deltas, mined } = JSON.parse(text)
    const { pool } = regtest.mempool
    for (const [txid, delta] of deltas) pool.prioritise(txid, BigInt(delta))
    pool.sequence = sequence
    regtest.mempool.loadMinimum(minimum)
    regtest.countFrom(mined)
  },
})
/** What the node says of itself. */
export const posturePart = (posture: Posture): StatePart => ({
  name: 'posture',
  save: () => JSON.stringify({ ...posture, feeRate: posture.feeRate?.toString() ?? null }),
  load(text) {
    const { feeRate, ...rest } = JSON.parse(text)
    const rate = feeRate === null || feeRate === 'unknown' ? feeRate : BigInt(feeRate)
    Object.assign(posture, rest, { feeRate: rate ?? undefined })
  },
})
/** All wallets, loaded and not, with their keys. */
export const walletsPart = (wallets: Wallets): StatePart => ({
  name: 'wallets',
  save: () => wallets.toJson(),
  load: (text) => wallets.fromJson(text),
})
