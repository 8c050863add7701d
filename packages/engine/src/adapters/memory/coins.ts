import type {
  Coin,
  CoinRows,
  FreezeRecord,
  FundsRecord,
  LeaseRecord,
} from '../../capabilities/coins/index.ts'
import type { PaymentRecord, TxRecord } from '../../capabilities/deposits/index.ts'
import {
  assert,
  type OutPoint,
  outPointKey,
  type PaymentId,
  parseOutPointKey,
  paymentId,
  type Sat,
  sumSat,
  type Txid,
  type WalletId,
  ZERO,
} from '../../kernel/index.ts'
import type { SortKey } from './order.ts'
import { type paymentTables, placeOfId } from './payments.ts'
import type { Session } from './session.ts'
import { firstOf, GroupIndex, SortedIndex, Table, takeWhile } from './table.ts'

type Held = LeaseRecord | FreezeRecord
const place = ({ point }: Held): SortKey => [point.txid, point.vout]
const walletPlace = (row: Held): SortKey => [row.wallet, ...place(row)]
const byPoint = (a: Held, b: Held): number =>
  a.point.txid === b.point.txid ? a.point.vout - b.point.vout : a.point.txid < b.point.txid ? -1 : 1

export function coinTables() {
  const leasesByWallet = new SortedIndex<LeaseRecord>(walletPlace)
  const leasesBySpend = new GroupIndex<LeaseRecord>(({ spend }) => [spend])
  const freezesByWallet = new SortedIndex<FreezeRecord>(walletPlace)
  return {
    funds: new Table<FundsRecord>('wallet_funds', ({ wallet }) => wallet),
    leasesByWallet,
    leasesBySpend,
    leases: new Table<LeaseRecord>('coin_leases', ({ point }) => outPointKey(point), [
      leasesByWallet,
      leasesBySpend,
    ]),
    freezesByWallet,
    freezes: new Table<FreezeRecord>('coin_freezes', ({ point }) => outPointKey(point), [
      freezesByWallet,
    ]),
  }
}
type Tables = ReturnType<typeof coinTables>
type Payments = ReturnType<typeof paymentTables>
type TransactionOf = (txid: Txid) => TxRecord | undefined

export const coinRows = (
  tables: Tables,
  session: Session,
  payments: Payments,
  transactionOf: TransactionOf,
): CoinRows => ({
  ...fundsDoors(tables, session),
  ...spendableDoors(tables, payments, transactionOf),
  ...leaseDoors(tables, session),
  ...freezeDoors(tables, session),
})

function fundsDoors({ funds }: Tables, session: Session) {
  const none = (wallet: WalletId): FundsRecord => ({ wallet, queued: ZERO, fence: 0 })
  return {
    lockFunds: async (wallet) => {
      session.requireWriter()
      if (!funds.has(wallet)) funds.insert(session, none(wallet))
      return funds.get(wallet) ?? none(wallet)
    },
    funds: async (wallet) => funds.get(wallet) ?? none(wallet),
    saveFunds: async (record) => {
      assert(funds.has(record.wallet), `funds of ${record.wallet} are saved without being locked`)
      funds.put(session, record)
    },
  } satisfies Partial<CoinRows>
}

/** The payment as a coin; undefined when it is spent, foreign money that is not credited, or not in the present view. */
function coinOf(payment: PaymentRecord, transaction: TxRecord | undefined): Coin | undefined {
  const { point, wallet, branch, index, script, address, amount, coinbase, firstSeenAt } = payment
  if (payment.spender !== undefined) return undefined
  const coin = { point, wallet, branch, index, script, address, amount, coinbase, firstSeenAt }
  if (payment.booked.state === 'credited')
    return { ...coin, kind: 'credited', height: payment.booked.block.height }
  const view = transaction?.view
  if (payment.purpose !== 'change' || view === undefined) return undefined
  if (view.state === 'mined') return { ...coin, kind: 'own_change', height: view.block.height }
  const unconfirmed = view.state === 'mempool' && view.missingSince === undefined
  return unconfirmed ? { ...coin, kind: 'own_change' } : undefined
}

function spendableDoors(tables: Tables, payments: Payments, transactionOf: TransactionOf) {
  const { leases, freezes, leasesByWallet, freezesByWallet } = tables
  const coinAt = (point: OutPoint) => {
    const payment = payments.payments.get(paymentId(point))
    return payment && coinOf(payment, transactionOf(point.txid))
  }
  const isHeld = ({ point }: { readonly point: OutPoint }) =>
    leases.has(outPointKey(point)) || freezes.has(outPointKey(point))
  function* free(wallet: WalletId, ownChange: boolean, after?: PaymentId): Generator<Coin> {
    const from = after === undefined ? [wallet] : [wallet, ...placeOfId(after)]
    const rows = payments.payments.rows(payments.byCoin.ascending(from))
    for (const payment of takeWhile(rows, (row) => row.wallet === wallet)) {
      const coin = coinOf(payment, transactionOf(payment.point.txid))
      if (coin && (ownChange || coin.kind === 'credited') && !isHeld(coin)) yield coin
    }
  }
  const credited = (held: Iterable<Held>): readonly Sat[] =>
    [...held].flatMap(({ point }) => {
      const coin = coinAt(point)
      return coin?.kind === 'credited' ? [coin.amount] : []
    })
  return {
    freeCoins: async ({ wallet, ownChange, after, limit }) =>
      firstOf(free(wallet, ownChange, after), limit),
    coins: async (points) => points.map(coinAt),
    encumbered: async (wallet) => {
      const mine = (row: Held) => row.wallet === wallet
      const leased = takeWhile(leases.rows(leasesByWallet.ascending([wallet])), mine)
      const frozen = [...takeWhile(freezes.rows(freezesByWallet.ascending([wallet])), mine)]
      const only = frozen.filter(({ point }) => !leases.has(outPointKey(point)))
      return sumSat([...credited(leased), ...credited(only)])
    },
    ownChange: async (wallet) =>
      sumSat(
        [...free(wallet, true)].flatMap((coin) =>
          coin.kind === 'own_change' ? [coin.amount] : [],
        ),
      ),
  } satisfies Partial<CoinRows>
}

function leaseDoors({ leases, leasesBySpend }: Tables, session: Session) {
  return {
    leases: async (points) => [...leases.rows(new Set(points.map(outPointKey)))].sort(byPoint),
    leasesOf: async (spend) => [...leases.rows(leasesBySpend.keys(spend))].sort(byPoint),
    lease: async (records) => {
      session.requireWriter()
      for (const record of records) leases.insert(session, record)
    },
    release: async (spend, points) => {
      session.requireWriter()
      const held = [...leasesBySpend.keys(spend)]
      const asked = points && new Set(points.map(outPointKey))
      for (const key of held) if (asked?.has(key) ?? true) leases.remove(session, key)
    },
  } satisfies Partial<CoinRows>
}

function freezeDoors({ freezes, freezesByWallet }: Tables, session: Session) {
  return {
    frozen: async (points) => [...freezes.rows(new Set(points.map(outPointKey)))].sort(byPoint),
    listFrozen: async (wallet, after, limit) => {
      const point = after === undefined ? undefined : parseOutPointKey(after)
      const from = point === undefined ? [wallet] : [wallet, point.txid, point.vout]
      const rows = freezes.rows(freezesByWallet.ascending(from))
      return firstOf(
        takeWhile(rows, (row) => row.wallet === wallet),
        limit,
      )
    },
    freeze: async (records) => {
      session.requireWriter()
      for (const record of records) freezes.put(session, record)
    },
    unfreeze: async (points) => {
      session.requireWriter()
      for (const key of new Set(points.map(outPointKey)))
        if (freezes.has(key)) freezes.remove(session, key)
    },
  } satisfies Partial<CoinRows>
}
