/**
 * A platform that keeps its own orders. It asks the engine for addresses only; when money comes to one, the engine asks back
 * whose it is and tells every change, inside its own commit. Here the platform's table is a Map; with a table in the same
 * database both would move together or not at all.
 */
import { createEngine } from '@kaccy/bitcoin'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import { systemClock, systemEntropy } from '@kaccy/bitcoin/adapters/system'
import type { PlatformOrder, PlatformOrders } from '@kaccy/bitcoin/deposits'
import { sat } from '@kaccy/bitcoin/kernel'
import { createDevnet } from '@kaccy/devnet'
import Database from 'better-sqlite3'

const descriptor =
  'wpkh([73c5da0a/84h/1h/0h]tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M/<0;1>/*)'

interface Invoice extends PlatformOrder {
  status: string
  txids: readonly string[]
}
const invoices = new Map<string, Invoice>() // by address

const platform: PlatformOrders = {
  async orderByAddress(_tx, address) {
    return invoices.get(address)
  },
  async updateStatus(_tx, order, payments) {
    const invoice = invoices.get(order.address)
    if (!invoice) return
    invoice.status = `${order.state.status}, ${order.state.verdict}`
    invoice.txids = payments.map(({ payment }) => payment.point.txid)
  },
}

const devnet = await createDevnet()
const database = new Database(':memory:')
const store = await openStore({ dialect: 'sqlite', database, migrate: true })
const source = createBitcoindSource({
  url: devnet.rpcUrl,
  auth: { cookieFile: devnet.cookiePath },
})
const parts = { store, source, clock: systemClock, entropy: systemEntropy, platform }
const engine = await createEngine({ network: 'regtest', ...parts })
await engine.sync()

const registered = await engine.wallets.register({ name: 'shop', descriptor }, 'operator:me')
if (!registered.ok) throw new Error(registered.error.message)
const wallet = registered.value.wallet.id

const revealed = await store.transact((tx) =>
  engine.wallets.revealAddress(tx, { wallet, at: systemClock.now(), shown: true }),
)
if (!revealed.ok) throw new Error(revealed.error.message)
const { address } = revealed.value
const invoice: Invoice = {
  externalId: 'INV-1042',
  customer: 'alice',
  amount: sat(150_000n),
  status: 'open',
  txids: [],
}
invoices.set(address, invoice)

devnet.pay(address, 150_000n)
await engine.sync()
console.log(`${invoice.externalId}: ${invoice.status}, ${invoice.txids.length} transaction`)
devnet.mine(3)
await engine.sync()
console.log(`${invoice.externalId}: ${invoice.status}`)
const [owed] = await engine.ledger.accounts('owed/alice', undefined, 1)
console.log(`alice is credited ${(owed?.credits ?? 0n) - (owed?.debits ?? 0n)} sat`)

await store.close()
await source.close()
await devnet.close()
