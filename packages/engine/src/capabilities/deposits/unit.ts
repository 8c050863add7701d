import {
  assert,
  type OrderId,
  type OutPoint,
  outPointKey,
  type PaymentId,
  paymentId,
  type Txid,
} from '../../kernel/index.ts'
import type { Standing } from './machine.ts'
import type { DepositRows, OrderRecord, PaymentRecord, TxFact, TxRecord, TxView } from './ports.ts'

interface Slot<T> {
  /** As the store had it when this unit first met it; undefined for what is new. */
  readonly before: T | undefined
  now: T
}

/**
 * The facts that one commit works on: loaded once, changed in memory, written in one go. It remembers how everything
 * was before, so that what has to be told follows from the difference and not from the order of the changes.
 */
export class Unit {
  readonly at: number
  readonly #rows: DepositRows
  readonly #transactions = new Map<Txid, Slot<TxRecord>>()
  readonly #payments = new Map<PaymentId, Slot<PaymentRecord>>()
  readonly #orders = new Map<OrderId, OrderRecord>()
  readonly #touched = new Set<Txid>()
  /** What the store was asked for: what it did not have then, it does not have now. */
  readonly #asked = new Set<Txid | PaymentId>()
  readonly #facts: TxFact[] = []
  /** Which loaded transactions spend an outpoint. */
  readonly #spenders = new Map<string, Set<Txid>>()

  constructor(rows: DepositRows, at: number) {
    this.#rows = rows
    this.at = at
  }

  /** Transactions whose view or spending changed in this unit. */
  touched(): ReadonlySet<Txid> {
    return this.#touched
  }
  /** Those of them that the store has: the others have nothing stored yet. */
  touchedBefore(): readonly Txid[] {
    return [...this.#touched].filter((txid) => this.#transactions.get(txid)?.before !== undefined)
  }
  async loadTransactions(txids: Iterable<Txid>): Promise<void> {
    const missing = [...new Set(txids)].filter(
      (txid) => !this.#transactions.has(txid) && !this.#asked.has(txid),
    )
    if (missing.length === 0) return
    for (const txid of missing) this.#asked.add(txid)
    this.meetTransactions(await this.#rows.transactions(missing))
  }
  /** Payments that loaded transactions spend: needed before one of them may leave the view. */
  async loadSpent(records: readonly TxRecord[]): Promise<void> {
    await this.loadPayments(records.flatMap((record) => record.inputs.map(paymentId)))
  }
  meetTransactions(records: readonly TxRecord[]): void {
    for (const record of records) {
      if (this.#transactions.has(record.txid)) continue
      this.#transactions.set(record.txid, { before: record, now: record })
      this.#index(record)
    }
  }
  #index(record: TxRecord): void {
    for (const point of record.inputs) {
      const key = outPointKey(point)
      const known = this.#spenders.get(key)
      if (known) known.add(record.txid)
      else this.#spenders.set(key, new Set([record.txid]))
    }
  }
  /** Loaded transactions, also vanished ones, that spend a coin which this one spends too. */
  conflictsOf(transaction: Pick<TxRecord, 'txid' | 'inputs'>): readonly TxRecord[] {
    const rivals = new Set<Txid>()
    for (const point of transaction.inputs)
      for (const txid of this.#spenders.get(outPointKey(point)) ?? [])
        if (txid !== transaction.txid) rivals.add(txid)
    return [...rivals].flatMap((txid) => this.transaction(txid) ?? [])
  }
  /** Those of them that are in the present view. */
  rivalsOf(transaction: Pick<TxRecord, 'txid' | 'inputs'>): readonly TxRecord[] {
    return this.conflictsOf(transaction).filter(({ view }) => view.state !== 'gone')
  }
  transaction(txid: Txid): TxRecord | undefined {
    return this.#transactions.get(txid)?.now
  }
  async loadPayments(ids: Iterable<PaymentId>): Promise<void> {
    const missing = [...new Set(ids)].filter(
      (id) => !this.#payments.has(id) && !this.#asked.has(id),
    )
    if (missing.length === 0) return
    for (const id of missing) this.#asked.add(id)
    this.meetPayments(await this.#rows.payments(missing))
  }
  /** These orders, locked, in order of id; as they stood before this unit. */
  async lockOrders(ids: Iterable<OrderId>): Promise<readonly OrderRecord[]> {
    const wanted = [...new Set(ids)].sort()
    const missing = wanted.filter((id) => !this.#orders.has(id))
    if (missing.length > 0)
      for (const order of await this.#rows.lockOrders(missing)) this.#orders.set(order.id, order)
    return wanted.flatMap((id) => this.#orders.get(id) ?? [])
  }
  meetPayments(records: readonly PaymentRecord[]): void {
    for (const record of records)
      if (!this.#payments.has(record.id))
        this.#payments.set(record.id, { before: record, now: record })
  }
  payment(id: PaymentId): PaymentRecord | undefined {
    return this.#payments.get(id)?.now
  }
  paymentAt(point: OutPoint): PaymentRecord | undefined {
    return this.payment(paymentId(point))
  }
  /** Loaded payments of one transaction. */
  paymentsOf(txid: Txid): readonly PaymentRecord[] {
    return this.payments().filter((payment) => payment.point.txid === txid)
  }
  payments(): readonly PaymentRecord[] {
    return [...this.#payments.values()].map((slot) => slot.now)
  }
  isNew(id: PaymentId): boolean {
    return this.#payments.get(id)?.before === undefined
  }
  paymentBefore(id: PaymentId): PaymentRecord | undefined {
    return this.#payments.get(id)?.before
  }
  viewBefore(txid: Txid): TxView | undefined {
    return this.#transactions.get(txid)?.before?.view
  }

  putTransaction(record: TxRecord): void {
    const slot = this.#transactions.get(record.txid)
    this.#transactions.set(record.txid, { before: slot?.before, now: record })
    if (!slot) this.#index(record)
    this.#touched.add(record.txid)
  }
  /** Have it looked at again although nothing of it changed. */
  touch(txid: Txid): void {
    this.#touched.add(txid)
  }
  putPayment(record: PaymentRecord): void {
    const slot = this.#payments.get(record.id)
    this.#payments.set(record.id, { before: slot?.before, now: record })
  }
  setView(txid: Txid, view: TxView, fact: Omit<TxFact, 'txid' | 'at'>): void {
    const record = this.transaction(txid)
    assert(record, `view of an unknown transaction ${txid}`)
    this.putTransaction({ ...record, view })
    if (view.state === 'gone') this.#freeCoins(record)
    this.#facts.push({ txid, at: this.at, ...fact })
  }
  /** What a vanished transaction spent is unspent again. Its inputs' payments have been loaded with it. */
  #freeCoins(record: TxRecord): void {
    for (const point of record.inputs) {
      const payment = this.paymentAt(point)
      if (payment?.spender !== record.txid) continue
      const { spender: _, ...unspent } = payment
      this.putPayment(unspent)
    }
  }
  note(fact: Omit<TxFact, 'at'>): void {
    this.#facts.push({ at: this.at, ...fact })
  }

  standing(payment: PaymentRecord): Standing {
    const transaction = this.transaction(payment.point.txid)
    assert(transaction, `payment ${payment.id} without its transaction`)
    const spender = payment.spender === undefined ? undefined : this.transaction(payment.spender)
    return {
      payment,
      view: transaction.view,
      ...(spender ? { spenderView: spender.view } : {}),
    }
  }

  /** Writes what differs from the store, and begins anew: what was written is now the state before. */
  async flush(): Promise<void> {
    const transactions = [...this.#transactions.values()].filter((s) => s.now !== s.before)
    const payments = [...this.#payments.values()].filter((s) => s.now !== s.before)
    if (transactions.length > 0) await this.#rows.saveTransactions(transactions.map((s) => s.now))
    if (payments.length > 0) await this.#rows.savePayments(payments.map((s) => s.now))
    if (this.#facts.length > 0) await this.#rows.appendFacts(this.#facts)
    this.#transactions.clear()
    this.#payments.clear()
    this.#orders.clear()
    this.#asked.clear()
    this.#spenders.clear()
    this.#touched.clear()
    this.#facts.length = 0
  }
}
