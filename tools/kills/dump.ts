import type { Store } from '@kaccy/bitcoin'
import { toHex } from '@kaccy/bitcoin/kernel'

const ALL = 1_000_000

const inOrder = (value: object): object =>
  Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
const plain = (_: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return toHex(value)
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? inOrder(value)
    : value
}
/** One line a record with its fields in order, also inside: two stores that hold the same give the same text. */
const lines = (name: string, records: readonly object[]): string[] =>
  records.map((record) => `${name} ${JSON.stringify(record, plain)}`)

/** Everything that the store knows, as text: chain, orders, payments, facts, books, events, audit trail, alerts. */
export async function dump(store: Store): Promise<readonly string[]> {
  return store.read(async (tx) => {
    const tip = await tx.chain.tip()
    const orders = await tx.deposits.listOrders({ limit: ALL })
    const payments = await tx.deposits.listPayments({ limit: ALL })
    const txids = [...new Set(payments.map((payment) => payment.point.txid))].sort()
    const [wallet] = await tx.wallet.wallets()
    return [
      `tip ${tip?.height} ${tip?.hash}`,
      ...lines('wallet', await tx.wallet.wallets()),
      ...lines('keychain', wallet ? await tx.wallet.keychains(wallet.id) : []),
      ...lines('order', [...orders].reverse()),
      ...lines('payment', payments),
      ...lines('transaction', await tx.deposits.transactions(txids)),
      ...lines('fact', await tx.deposits.facts(txids)),
      ...lines('entry', await tx.ledger.entries({ limit: ALL })),
      ...lines('account', await tx.ledger.accounts('', undefined, ALL)),
      ...lines('event', await tx.events.list({ after: 0, limit: ALL })),
      ...lines('audit', await tx.audit.list({ limit: ALL })),
      ...lines('alert', await tx.alerts.list({ limit: ALL })),
    ]
  })
}
