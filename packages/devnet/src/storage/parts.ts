import type { NodeClock } from '../powers/clock.ts'
import type { Coins } from '../powers/coins.ts'
import type { Posture } from '../powers/posture.ts'
import type { Regtest } from '../powers/regtest.ts'
import type { Wallets } from '../wallet/wallets.ts'
import type { StatePart, StateTable } from './keeper.ts'

/** Names and uses of the stranger's coins: `named NAME`, `used OUTPOINT`, `spends OUTPOINT` and `next`. */
export const coinsTable = (coins: Coins): StateTable => ({
  name: 'coins',
  news() {
    const rows = coins.takeRows()
    return rows && [...rows]
  },
  all() {
    coins.takeRows()
    return coinRows(coins)
  },
  load(rows) {
    const of = (kind: string): [string, string][] =>
      [...rows].flatMap(([key, text]): [string, string][] =>
        key.startsWith(`${kind} `) ? [[key.slice(kind.length + 1), text]] : [],
      )
    coins.load({
      named: new Map(of('named')),
      used: new Set(of('used').map(([key]) => key)),
      spends: new Map(of('spends').map(([key, count]) => [key, Number(count)])),
      next: Number(rows.get('next') ?? 0),
    })
    coins.takeRows()
  },
})
function coinRows(coins: Coins): readonly (readonly [string, string])[] {
  const { named, used, spends, next } = coins.save()
  return [
    ...[...named].map(([name, key]) => [`named ${name}`, key] as const),
    ...[...used].map((key) => [`used ${key}`, ''] as const),
    ...[...spends].map(([key, count]) => [`spends ${key}`, `${count}`] as const),
    ['next', `${next}`],
  ]
}
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
export const walletsTable = (wallets: Wallets): StateTable => ({
  name: 'wallets',
  news: () => wallets.newRows(),
  all: () => wallets.allRows(),
  load: (rows) => wallets.fromRows(rows),
})
