import {
  type BlockRef,
  type OrderId,
  outPointKey,
  type PaymentId,
  paymentId,
  type Sat,
  sumSat,
  type Transactor,
  type Txid,
  type WalletId,
} from '../../kernel/index.ts'
import { depthOf } from './machine.ts'
import type {
  NewestPaymentsFilter,
  OrderRecord,
  PaymentCursor,
  PaymentRecord,
  PaymentStatus,
  TransactionCursor,
  TxRecord,
  TxView,
  WalletTransactionsFilter,
} from './ports.ts'
import type { DepositsTx } from './transaction.ts'

/** A payment with all that follows from the present tip. */
export interface PaymentView {
  readonly payment: PaymentRecord
  /** Its transaction, with where the best chain has it. */
  readonly transaction: TxRecord
  readonly status: PaymentStatus
  /** 0 in the mempool; also 0 when it is gone. */
  readonly confirmations: number
}
export interface PaymentDetail extends PaymentView {
  /** The order whose address it came to. */
  readonly order?: OrderRecord
}

/** A transaction as one wallet sees it. */
export interface WalletTransaction {
  readonly transaction: TxRecord
  /** 0 in the mempool; also 0 when it is gone. */
  readonly confirmations: number
  /** Its outputs that pay the wallet, and coins of the wallet among its inputs; by id. */
  readonly payments: readonly PaymentRecord[]
  readonly spent: readonly PaymentRecord[]
  /** Sums of the two, satoshi. They say what it would move also when it is gone. */
  readonly received: Sat
  readonly sent: Sat
  /** Received less sent: below zero when money left. */
  readonly net: bigint
}

export interface CoinsFilter {
  readonly before?: PaymentCursor
  readonly limit: number
}

/** Where a payment stands: in one of four places. */
export function paymentStatusOf(payment: PaymentRecord, view: TxView): PaymentStatus {
  if (view.state !== 'mined') return view.state
  return payment.booked.state === 'credited' ? 'credited' : 'mined'
}

const confirmationsOf = (view: TxView, tip: BlockRef | undefined): number =>
  tip === undefined ? 0 : Math.max(0, depthOf(view, tip))

async function viewsOf(
  tx: DepositsTx,
  payments: readonly PaymentRecord[],
): Promise<readonly PaymentView[]> {
  if (payments.length === 0) return []
  const tip = await tx.chain.tip()
  const found = await tx.deposits.transactions(payments.map(({ point }) => point.txid))
  const byTxid = new Map(found.map((transaction) => [transaction.txid, transaction]))
  return payments.flatMap((payment) => {
    const transaction = byTxid.get(payment.point.txid)
    if (!transaction) return []
    const { view } = transaction
    const confirmations = confirmationsOf(view, tip)
    return [{ payment, transaction, status: paymentStatusOf(payment, view), confirmations }]
  })
}

/** Payments newest first; the cursor of the next page is the last one's time and id. */
export const newestPayments = (
  store: Transactor<DepositsTx>,
  filter: NewestPaymentsFilter,
): Promise<readonly PaymentView[]> =>
  store.read(async (tx) => viewsOf(tx, await tx.deposits.newestPayments(filter)))

/** One payment, with its order; undefined for an unknown id. */
export const paymentDetail = (
  store: Transactor<DepositsTx>,
  id: PaymentId,
): Promise<PaymentDetail | undefined> =>
  store.read(async (tx) => {
    if (!/^pay_[0-9a-f]{64}_\d{1,10}$/.test(id)) return undefined
    const [view] = await viewsOf(tx, await tx.deposits.payments([id]))
    const owner: OrderId | undefined = view?.payment.order
    const order = owner === undefined ? undefined : await tx.deposits.order(owner)
    return view && { ...view, ...(order ? { order } : {}) }
  })

/** Coins of a wallet: its unspent payments in mempool and best chain, newest first. */
export const walletCoins = (
  store: Transactor<DepositsTx>,
  wallet: WalletId,
  filter: CoinsFilter,
): Promise<readonly PaymentView[]> =>
  newestPayments(store, {
    ...filter,
    wallet,
    unspent: true,
    statuses: ['mempool', 'mined', 'credited'],
  })

/** Transactions that pay or spend of a wallet, newest first. Costs what the page holds. */
export const walletTransactions = (
  store: Transactor<DepositsTx>,
  filter: WalletTransactionsFilter,
): Promise<readonly WalletTransaction[]> =>
  store.read(async (tx) => {
    const found = await tx.deposits.walletTransactions(filter)
    if (found.length === 0) return []
    const tip = await tx.chain.tip()
    const ours = ({ wallet }: PaymentRecord) => wallet === filter.wallet
    const paid = await tx.deposits.paymentsOfTransactions(found.map(({ txid }) => txid))
    const inputs = found.flatMap((transaction) => transaction.inputs)
    const coins = (await tx.deposits.payments(inputs.map(paymentId))).filter(ours)
    const byTxid = Map.groupBy(paid.filter(ours), (payment): Txid => payment.point.txid)
    const byPoint = new Map(coins.map((payment) => [outPointKey(payment.point), payment]))
    return found.map((transaction) => {
      const payments = byTxid.get(transaction.txid) ?? []
      const spent = transaction.inputs.flatMap((point) => byPoint.get(outPointKey(point)) ?? [])
      const received = sumSat(payments.map(({ amount }) => amount))
      const sent = sumSat(spent.map(({ amount }) => amount))
      const confirmations = confirmationsOf(transaction.view, tip)
      return { transaction, confirmations, payments, spent, received, sent, net: received - sent }
    })
  })
export const transactionCursor = ({ transaction }: WalletTransaction): TransactionCursor => ({
  firstSeenAt: transaction.firstSeenAt,
  txid: transaction.txid,
})
export const paymentCursor = ({ payment }: Pick<PaymentView, 'payment'>): PaymentCursor => ({
  firstSeenAt: payment.firstSeenAt,
  id: payment.id,
})
