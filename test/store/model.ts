import { appendAudit } from '@kaccy/bitcoin/audit'
import type { OrderRecord, PaymentRecord, TxView } from '@kaccy/bitcoin/deposits'
import { EngineError, sat } from '@kaccy/bitcoin/kernel'
import type { Store, StoreTx } from '@kaccy/bitcoin/testing'
import {
  addressOf,
  alertOf,
  auditOf,
  blockOf,
  eventOf,
  headerOf,
  keychainOf,
  orderIdOf,
  orderOf,
  paymentOf,
  pointOf,
  postingOf,
  scriptOf,
  transactionOf,
  txidOf,
  walletIdOf,
  walletOf,
} from '@kaccy/bitcoin/testing'
import { ACCESS } from './model-access.ts'
import { PAYOUTS } from './model-payouts.ts'

/** One call of a row door, made of small numbers so that calls meet each other's rows. */
export interface Operation {
  readonly name: string
  readonly a: number
  readonly b: number
  readonly c: number
}
export interface Commit {
  readonly operations: readonly Operation[]
  readonly fails: boolean
}
type Play = (tx: StoreTx, op: Operation) => Promise<unknown>

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)
const some = <K extends string, V>(key: K, on: boolean, value: V) =>
  (on ? { [key]: value } : {}) as { [P in K]?: V }

const CHAIN: Record<string, Play> = {
  extend: async ({ chain }, { a, b }) => {
    const tip = await chain.tip()
    const first = headerOf((tip?.height ?? b) + 1, a)
    const header = tip ? { ...first, prev: tip.hash } : first
    await chain.append(a === 0 ? [{ ...header, height: header.height + 1 }] : [header])
  },
  cut: ({ chain }, { a }) => chain.truncateTo(a),
  below: async ({ chain }, { a }) => {
    const base = await chain.base()
    if (base) await chain.prepend([{ ...headerOf(base.height - 1, a), hash: base.prev }])
  },
  look: async ({ chain }, { a, b }) => [
    await chain.tip(),
    await chain.base(),
    await chain.headerAt(a),
    (await chain.headersAt([a, b, a + 1])).map(({ height }) => height).sort(),
    await chain.memo(`m${a}`),
  ],
  note: ({ chain }, { a, b }) => chain.saveMemo(`m${a}`, `v${b}`),
}

const WALLET: Record<string, Play> = {
  register: ({ wallet }, { a, b }) =>
    wallet.insertWallet(walletOf(a, b === 0 ? { descriptor: 'same' } : {})),
  change: ({ wallet }, { a, b }) =>
    wallet.saveWallet(walletOf(a, some('rescan', b > 2, { next: b, from: 0, to: 9 }))),
  keychain: ({ wallet }, { a, b, c }) =>
    wallet.saveKeychain(keychainOf(a, b % 2, { nextIndex: c, reach: c - 1 })),
  derive: ({ wallet }, { a, b, c }) =>
    wallet.insertAddresses(range(b, (c % 4) + 1).map((i) => addressOf(a, i))),
  mark: ({ wallet }, { a, b, c }) =>
    wallet.saveAddresses(
      range(b, (c % 3) + 1).map((i) =>
        addressOf(a, i, {
          state: (['watched', 'revealed', 'free'] as const)[c % 3] ?? 'free',
          shown: c > 3,
          ...some('order', c > 2, orderIdOf(c)),
          ...some('firstUsedAt', c > 4, c),
        }),
      ),
    ),
  next: ({ wallet }, { a, b, c }) => wallet.nextAddresses(walletIdOf(a), 0, b, c),
  find: async ({ wallet }, { a, b, c }) => [
    await wallet.wallets(),
    await wallet.wallet(walletIdOf(a)),
    await wallet.walletByDescriptor(b === 0 ? 'same' : walletOf(a).descriptor),
    await wallet.keychains(),
    await wallet.keychains(walletIdOf(a)),
    await wallet.lockKeychain(walletIdOf(a), b % 2),
    await wallet.address(walletIdOf(a), 0, b),
    await wallet.addressesByScripts([a, b, c].map((n) => scriptOf(a * 100_000 + n))),
  ],
  pages: async ({ wallet }, { a, b, c }) => [
    await wallet.listAddresses({ limit: c + 1, ...some('wallet', b > 1, walletIdOf(a)) }),
    await wallet.listAddresses({
      limit: c,
      ...some('state', b > 0, (['watched', 'revealed', 'free'] as const)[b % 3] ?? 'free'),
      after: { wallet: walletIdOf(a), branch: 0, index: b },
    }),
    await wallet.scripts(b === 0 ? undefined : String(b), c + 1),
    await wallet.labels(
      walletIdOf(a),
      b === 0 ? undefined : { type: `t${b % 2}`, ref: `r${c}` },
      c,
    ),
  ],
  label: ({ wallet }, { a, b, c }) =>
    wallet.saveLabels(
      range(b, (c % 3) + 1).map((i) => ({
        wallet: walletIdOf(a),
        type: `t${i % 2}`,
        ref: `r${i % 3}`,
        json: `{"n":${c}}`,
      })),
    ),
}

const orderFor = (a: number, b: number, c: number): OrderRecord =>
  orderOf(a, {
    wallet: walletIdOf(b % 3),
    metadata: c % 2 === 0 ? { k: `v${b}` } : { k: `v${b}`, l: 'x' },
    ...some('externalId', b > 3, `ext${b}`),
    ...some('customer', c > 2, `cus${c % 2}`),
    ...some('expiresAt', c > 1, 100 + b),
    ...some('expiredAt', c > 4, 100 + b),
    state: { ...orderOf(a).state, status: b % 2 === 0 ? 'pending' : 'confirmed' },
  })
const ORDERS: Record<string, Play> = {
  order: ({ deposits }, { a, b, c }) => deposits.insertOrder(orderFor(a, b, c)),
  reorder: ({ deposits }, { a, b, c }) =>
    deposits.saveOrders(range(a, (c % 2) + 1).map((n) => orderFor(n, b, c))),
  orders: async ({ deposits }, { a, b, c }) => [
    await deposits.order(orderIdOf(a)),
    await deposits.orderByExternalId(`ext${b}`),
    await deposits.lockOrders([c, a, b, a].map(orderIdOf)),
    await deposits.ordersByScripts([a, b].map((n) => scriptOf(100_000 + n))),
    await deposits.dueOrders(100 + a, b),
    await deposits.listOrders({
      limit: c + 1,
      ...some('wallet', a % 2 === 0, walletIdOf(b % 3)),
      ...some('status', a % 3 === 0, 'pending' as const),
      ...some('customer', b === 2, `cus${c % 2}`),
      ...some('metadata', b > 3, { key: 'k', value: `v${b}` }),
      ...some('before', c > 3, orderIdOf(a)),
      ...some('createdFrom', a === 5, orderOf(b).createdAt),
    }),
  ],
}

const viewFor = (b: number, c: number): TxView => {
  if (b % 3 === 0) return { state: 'mempool', ...some('missingSince', c > 2, c) }
  if (b % 3 === 1) return { state: 'mined', block: blockOf(c) }
  return {
    state: 'gone',
    reason: 'conflicted',
    ...some('by', c > 2, txidOf(c)),
    ...some('block', c > 3, blockOf(c)),
  }
}
const paymentFor = (a: number, b: number, c: number): PaymentRecord =>
  paymentOf(a, b * 5, {
    wallet: walletIdOf(b % 2),
    purpose: (['order', 'unassigned', 'change'] as const)[c % 3] ?? 'order',
    ...some('order', c % 2 === 0, orderIdOf(b)),
    ...some('spender', c > 3, txidOf(c)),
    ...some('dueHeight', c > 1, 100 + c),
    booked: c > 2 ? { state: 'credited', block: blockOf(c) } : { state: 'pending' },
  })
const PAYMENTS: Record<string, Play> = {
  transaction: ({ deposits }, { a, b, c }) =>
    deposits.saveTransactions([
      transactionOf(a, { view: viewFor(b, c), inputs: [pointOf(a % 3, 1), pointOf(a, 2)] }),
    ]),
  pay: ({ deposits }, { a, b, c }) =>
    deposits.savePayments(range(b, (c % 3) + 1).map((i) => paymentFor(a, i, c))),
  fact: ({ deposits }, { a, b, c }) =>
    deposits.appendFacts([
      { txid: txidOf(a), kind: 'seen', at: b },
      { txid: txidOf(b), kind: 'mined', at: c, block: blockOf(c) },
    ]),
  payments: async ({ deposits }, { a, b, c }) => [
    await deposits.transactions([a, b].map(txidOf)),
    await deposits.spendersOf([pointOf(a, 1), pointOf(b, 2)]),
    await deposits.minedFrom(c),
    await deposits.unconfirmed(),
    await deposits.payments([paymentOf(a, b * 5).id, paymentOf(b, 0).id]),
    await deposits.paymentsOfTransactions([b, a].map(txidOf)),
    await deposits.paymentsOfOrders([b, a].map(orderIdOf)),
    await deposits.duePayments(100 + c),
    await deposits.facts([a, b].map(txidOf)),
    await deposits.listPayments({
      limit: c + 1,
      ...some('wallet', a % 2 === 0, walletIdOf(b % 2)),
      ...some('purpose', a % 3 === 0, 'unassigned' as const),
      ...some('unspentOnly', b > 2, true),
      ...some('order', a === 5, orderIdOf(b)),
      ...some('after', c > 3, paymentOf(a, b * 5).id),
    }),
  ],
}

const BOOKS: Record<string, Play> = {
  post: ({ ledger }, { a, b, c }) =>
    ledger.post(
      c,
      range(a * 10 + b, (c % 3) + 1).map((n) =>
        postingOf(n, {
          credit: `owed/c${b}`,
          amount: sat(BigInt(n)),
          ...some('order', c > 2, orderIdOf(a)),
          ...some('payment', c > 3, paymentOf(a, b).id),
        }),
      ),
    ),
  books: async ({ ledger }, { a, b, c }) => [
    await ledger.totals([`owed/c${b}`, 'coins/wal_1', 'none']),
    await ledger.accounts(a > 2 ? 'owed/' : '', b > 2 ? `owed/c${b}` : undefined, c + 1),
    await ledger.recount(a > 2 ? 'owed/' : ''),
    await ledger.entries({
      limit: c + 1,
      ...some('account', a > 3, `owed/c${b}`),
      ...some('after', b > 2, c),
      ...some('order', a === 2, orderIdOf(b)),
      ...some('payment', a === 1, paymentOf(b, c).id),
    }),
  ],
  emit: ({ events }, { a, b, c }) =>
    events.append(
      a,
      range(b, c % 4).map((n) => eventOf(n)),
    ),
  events: async ({ events }, { a, b, c }) => [
    await events.head(),
    await events.cursor(`s${b}`),
    await events.list({
      after: a,
      limit: c + 1,
      ...some('subject', b > 2, `ord_${b}`),
      ...some('types', a > 2, ['wallet.registered', 'none']),
    }),
  ],
  cursor: ({ events }, { a, b }) => events.saveCursor(`s${b}`, a),
  audit: (tx, { a, b, c }) =>
    appendAudit(
      tx,
      a,
      range(b, c % 3).map((n) => auditOf(n)),
    ),
  trail: ({ audit }, { a, b, c }) =>
    audit.list({
      limit: c + 1,
      ...some('actor', a > 3, 'engine'),
      ...some('action', b > 3, 'deposit.'),
      ...some('subject', b === 1, `ord_${a}`),
      ...some('from', a === 2, b),
      ...some('after', c > 3, a),
    }),
  alert: ({ alerts }, { a, b, c }) =>
    alerts.raise(
      a,
      range(b, c % 3).map((n) => alertOf(n)),
    ),
  acknowledge: async ({ alerts }, { a, b }) => {
    const alert = await alerts.alert(`alr_${a}`)
    if (alert) await alerts.save({ ...alert, acknowledged: { at: b, by: 'ann', note: '' } })
  },
  alerts: ({ alerts }, { a, b, c }) =>
    alerts.list({
      limit: c + 1,
      ...some('open', a > 1, a > 3),
      ...some('subject', b > 3, `ord_${c % 3}`),
      ...some('kind', b === 1, 'drift' as const),
      ...some('before', c > 3, `alr_${a}`),
    }),
}

const PLAYS: Readonly<Record<string, Play>> = {
  ...CHAIN,
  ...WALLET,
  ...ORDERS,
  ...PAYMENTS,
  ...BOOKS,
  ...ACCESS,
  ...PAYOUTS,
}
export const OPERATIONS = Object.keys(PLAYS)

/** What a store answers to a run of commits: values, and for a failed commit the kind of failure. */
export async function play(store: Store, commits: readonly Commit[]): Promise<unknown[]> {
  const answers: unknown[] = []
  for (const { operations, fails } of commits) {
    const answer = await store
      .transact(async (tx) => {
        const results: unknown[] = []
        for (const op of operations) results.push(await PLAYS[op.name]?.(tx, op))
        if (fails) throw new RangeError('undo')
        return results
      })
      .catch((error: unknown) =>
        error instanceof EngineError ? error.code : (error as Error).constructor.name,
      )
    answers.push(answer)
  }
  return answers
}
