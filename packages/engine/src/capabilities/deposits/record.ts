import {
  type BlockRef,
  type OrderId,
  type OutPoint,
  type PaymentId,
  paymentId,
  type WalletId,
} from '../../kernel/index.ts'
import type { MatchedTx, Watch } from '../chain/index.ts'
import type { AddressRecord, Wallets } from '../wallet/index.ts'
import { deriveOrder, isClosed } from './machine.ts'
import type { OrderRecord, PaymentRecord, TxView } from './ports.ts'
import type { Adopt, DepositsTx } from './transaction.ts'
import type { Unit } from './unit.ts'

type Output = MatchedTx['outputs'][number]

/** What recording needs besides the facts. */
export interface Recorder {
  readonly tx: DepositsTx
  readonly unit: Unit
  readonly watch: Pick<Watch, 'addOutpoint'>
  readonly wallets: Pick<Wallets, 'markUsed'>
  /** The platform's own order for an address that no order of ours owns. */
  readonly adopt: Adopt
  /**
   * Set while a reorganisation is recorded: the tip before the block. The stored state of an order is of the branch that
   * leaves, so whether it was complete has to be judged anew.
   */
  readonly judgedUnder?: BlockRef
}

/**
 * A payment is late when nothing of it was known before its order ran out, or when we had cancelled without knowing of it.
 * An order that has expired in the books stays so whatever time a miner wrote into a block: it is not reopened at its old
 * price. What takes the place of a payment in time is in time as well.
 */
const isLate = (order: OrderRecord, firstSeenAt: number, takesPlace: boolean): boolean =>
  order.cancelledAt !== undefined ||
  (!takesPlace &&
    (order.expiredAt !== undefined ||
      (order.expiresAt !== undefined && firstSeenAt > order.expiresAt)))

interface Mine {
  readonly output: Output
  readonly address: AddressRecord
}

/**
 * Whether a transaction is a fee bump, or the same payment under another id: it spends a coin of one that paid the order in
 * time, and pays it no more. More would be a new payment at the old price.
 */
function takesPlaceInTime(
  unit: Unit,
  transaction: MatchedTx,
  mine: readonly Mine[],
  order: OrderId,
): boolean {
  const offered = mine
    .filter(({ address }) => address.order === order)
    .reduce((sum, { output }) => sum + output.amount, 0n)
  return unit.conflictsOf(transaction).some((rival) => {
    const inTime = unit
      .paymentsOf(rival.txid)
      .filter((payment) => payment.order === order && payment.purpose === 'order' && !payment.late)
    return inTime.reduce((sum, payment) => sum + payment.amount, 0n) >= offered
  })
}

function purposeOf(
  address: AddressRecord,
  order: OrderRecord | undefined,
  own: boolean,
): PaymentRecord['purpose'] {
  // Money that we send to ourselves is no income, unless it pays somebody's order.
  if (own && (address.branch !== 0 || !order)) return 'change'
  return order && !isClosed(order) ? 'order' : 'unassigned'
}

/**
 * Holds the wallets and keychains of addresses that these transactions use for the first time. Before anything else is
 * locked, because whoever hands out addresses holds a keychain when it comes to the counters; and before it is asked
 * whose the addresses are, so that none gets an owner between the question and the answer.
 */
export async function lockOwners(
  { tx }: Pick<Recorder, 'tx'>,
  transactions: readonly MatchedTx[],
): Promise<void> {
  const scripts = scriptsOf(transactions)
  if (scripts.length === 0) return
  const used = (await tx.wallet.addressesByScripts(scripts)).filter(
    (address) => address.firstUsedAt === undefined,
  )
  for (const id of [...new Set(used.map(({ wallet }) => wallet))].sort()) {
    await tx.wallet.lockWallet(id)
    const branches = new Set(used.flatMap((at) => (at.wallet === id ? [at.branch] : [])))
    for (const branch of [...branches].sort((a, b) => a - b))
      await tx.wallet.lockKeychain(id, branch)
  }
}
function scriptsOf(transactions: readonly MatchedTx[]): readonly Uint8Array[] {
  const scripts = new Map<string, Uint8Array>()
  for (const { outputs } of transactions)
    for (const { script } of outputs) scripts.set(keyOf(script), script)
  return [...scripts.values()]
}

/** Who owns the addresses these outputs pay, with their orders; a filter hit that is no address of ours has none. */
async function ownersOf(recorder: Recorder, transactions: readonly MatchedTx[]) {
  const { tx, adopt } = recorder
  const scripts = scriptsOf(transactions)
  const addresses = scripts.length === 0 ? [] : await tx.wallet.addressesByScripts(scripts)
  const byScript = new Map(addresses.map((address) => [keyOf(address.script), address]))
  const ids = new Set(addresses.flatMap((a) => (a.order === undefined ? [] : [a.order])))
  const orders = new Map<OrderId, OrderRecord>()
  const locked = await recorder.unit.lockOrders(ids)
  for (const order of await judged(recorder, locked)) orders.set(order.id, order)
  const ownerless = addresses.filter((a) => a.order === undefined && a.state === 'revealed')
  for (const address of ownerless) {
    const order = await adopt(tx, address)
    if (!order) continue
    orders.set(order.id, order)
    byScript.set(keyOf(address.script), { ...address, order: order.id })
  }
  return { byScript, orders }
}
/** The orders with the state that they have in the branch that is being recorded. */
async function judged(
  { tx, unit, judgedUnder: tip }: Recorder,
  orders: readonly OrderRecord[],
): Promise<readonly OrderRecord[]> {
  if (!tip || orders.length === 0) return orders
  unit.meetPayments(await tx.deposits.paymentsOfOrders(orders.map((order) => order.id)))
  await unit.loadTransactions(unit.payments().map((payment) => payment.point.txid))
  const byOrder = Map.groupBy(unit.payments(), (payment) => payment.order)
  return orders.map((order) => {
    const standings = (byOrder.get(order.id) ?? []).map((payment) => unit.standing(payment))
    return { ...order, state: deriveOrder(order, standings, tip) }
  })
}
const keyOf = (script: Uint8Array): string => String.fromCharCode(...script)

function paymentOf(
  transaction: MatchedTx,
  output: Output,
  address: AddressRecord,
  order: OrderRecord | undefined,
  own: boolean,
  firstSeenAt: number,
  takesPlace: boolean,
): PaymentRecord {
  const point: OutPoint = { txid: transaction.txid, vout: output.vout }
  const purpose = purposeOf(address, order, own)
  return {
    id: paymentId(point),
    point,
    wallet: address.wallet,
    branch: address.branch,
    index: address.index,
    address: address.address,
    script: output.script,
    amount: output.amount,
    coinbase: transaction.coinbase,
    ...(order ? { order: order.id } : {}),
    purpose,
    firstSeenAt,
    late: purpose === 'order' && order !== undefined && isLate(order, firstSeenAt, takesPlace),
    booked: { state: 'none' },
    posted: 0,
    spendBooked: false,
  }
}

/**
 * Takes transactions that touch us into the unit, with the view they have now: facts of the transaction, one payment per
 * output that is ours, the marks of coins it spends, and the fate of stored transactions it conflicts with.
 *
 * @param firstSeenAt when the money can have been known first; only used for what is new.
 * @returns the wallets that watch more scripts from now on, because addresses near the end of their window were used.
 */
export async function record(
  recorder: Recorder,
  transactions: readonly MatchedTx[],
  view: TxView,
  firstSeenAt: number,
): Promise<readonly WalletId[]> {
  if (transactions.length === 0) return []
  const { tx, unit, watch } = recorder
  const inputs = transactions.flatMap((transaction) => transaction.inputs)
  await unit.loadTransactions(transactions.map((transaction) => transaction.txid))
  await unit.loadPayments(inputs.map(paymentId))
  const rivals = await tx.deposits.spendersOf(inputs)
  unit.meetTransactions(rivals)
  await unit.loadSpent(rivals)
  if (rivals.length > 0)
    unit.meetPayments(await tx.deposits.paymentsOfTransactions(rivals.map(({ txid }) => txid)))
  const owners = await ownersOf(recorder, transactions)
  await unit.loadPayments(
    transactions.flatMap((t) => t.outputs.map(({ vout }) => paymentId({ txid: t.txid, vout }))),
  )
  const ours = ownOutputs(transactions, owners.byScript)
  const used: AddressRecord[] = []
  const touching: MatchedTx[] = []
  for (const transaction of transactions) {
    const spends = transaction.inputs.some((at) => unit.paymentAt(at) || ours.has(paymentId(at)))
    const mine = transaction.outputs.flatMap((output) => {
      const address = owners.byScript.get(keyOf(output.script))
      return address ? [{ output, address }] : []
    })
    if (view.state === 'mined') resolveConflicts(unit, transaction, view.block)
    if (!spends && mine.length === 0) continue
    touching.push(transaction)
    recordTransaction(unit, transaction, view, firstSeenAt)
    for (const point of transaction.inputs) watch.addOutpoint(point)
    for (const { output, address } of mine) {
      const point = { txid: transaction.txid, vout: output.vout }
      watch.addOutpoint(point)
      if (unit.paymentAt(point)) continue
      const order = address.order === undefined ? undefined : owners.orders.get(address.order)
      const takesPlace = order !== undefined && takesPlaceInTime(unit, transaction, mine, order.id)
      unit.putPayment(
        paymentOf(transaction, output, address, order, spends, firstSeenAt, takesPlace),
      )
      used.push(address)
    }
  }
  for (const transaction of touching) markSpent(unit, transaction)
  if (used.length === 0) return []
  const { watched } = await recorder.wallets.markUsed(tx, used, unit.at)
  return [...new Set(watched.map((script) => script.wallet))]
}

/** Outputs of these transactions that are ours: a mempool may list a child before its parent. */
const ownOutputs = (
  transactions: readonly MatchedTx[],
  byScript: ReadonlyMap<string, AddressRecord>,
): ReadonlySet<PaymentId> =>
  new Set(
    transactions.flatMap(({ txid, outputs }) =>
      outputs
        .filter(({ script }) => byScript.has(keyOf(script)))
        .map(({ vout }) => paymentId({ txid, vout })),
    ),
  )

function recordTransaction(
  unit: Unit,
  { txid, coinbase, inputs, vsize, feeRate }: MatchedTx,
  view: TxView,
  firstSeenAt: number,
): void {
  const known = unit.transaction(txid)
  // What the best chain holds cannot be in the mempool of a node at the same tip: such an answer is an old one.
  const outdated = known?.view.state === 'mined' && view.state === 'mempool'
  if (known && (outdated || sameView(known.view, view))) unit.touch(txid)
  else if (!known) {
    const rate = feeRate === undefined ? {} : { feeRate }
    unit.putTransaction({ txid, coinbase, inputs, vsize, ...rate, firstSeenAt, view })
    unit.note({ txid, kind: 'seen' })
    if (view.state === 'mined') unit.note({ txid, kind: 'mined', block: view.block })
  } else if (view.state === 'mined') unit.setView(txid, view, { kind: 'mined', block: view.block })
  else unit.setView(txid, view, { kind: 'seen' })
}

const sameView = (a: TxView, b: TxView): boolean =>
  a.state === 'mined' && b.state === 'mined'
    ? a.block.hash === b.block.hash
    : a.state === 'mempool' && b.state === 'mempool' && a.missingSince === undefined

/** A mined transaction makes every stored one that spends the same coin impossible, as long as its block stands. */
function resolveConflicts(unit: Unit, transaction: MatchedTx, block: BlockRef): void {
  for (const rival of unit.rivalsOf(transaction))
    unit.setView(
      rival.txid,
      { state: 'gone', reason: 'conflicted', by: transaction.txid, block },
      { kind: 'conflicted', by: transaction.txid, block },
    )
}

function markSpent(unit: Unit, transaction: MatchedTx): void {
  for (const point of transaction.inputs) {
    const payment = unit.paymentAt(point)
    if (payment && payment.spender !== transaction.txid)
      unit.putPayment({ ...payment, spender: transaction.txid })
  }
}
