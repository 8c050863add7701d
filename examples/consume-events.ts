/**
 * Reading events as a subscriber with a name: each one at least once, in order, and after a restart from where it was. The
 * handler ships an order when it is deep enough, and takes the shipment back when the chain took the money back.
 */
import { createEngine } from '@kaccy/bitcoin'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import { systemClock, systemEntropy, systemTimers } from '@kaccy/bitcoin/adapters/system'
import { createSubscribers, wakingStore } from '@kaccy/bitcoin/events'
import { sat } from '@kaccy/bitcoin/kernel'
import { createDevnet } from '@kaccy/devnet'
import Database from 'better-sqlite3'

const descriptor =
  'wpkh([73c5da0a/84h/1h/0h]tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M/<0;1>/*)'

const devnet = await createDevnet()
const plain = await openStore({
  dialect: 'sqlite',
  database: new Database(':memory:'),
  migrate: true,
})
const subscribers = createSubscribers({ store: plain, clock: systemClock, timer: systemTimers })
// The subscribers look right after each commit instead of at their next poll.
const store = wakingStore(plain, subscribers.wake)
const source = createBitcoindSource({
  url: devnet.rpcUrl,
  auth: { cookieFile: devnet.cookiePath },
})
const parts = { store, source, clock: systemClock, entropy: systemEntropy }
const engine = await createEngine({ network: 'regtest', ...parts })
await engine.sync()

const seen = new Set<string>()
let tellBooked: () => void = () => {}
const booked = new Promise<void>((resolve) => {
  tellBooked = resolve
})
subscribers.subscribe(
  'shipping',
  async (event) => {
    if (seen.has(event.id)) return // it may come again after a crash; ids never do
    seen.add(event.id)
    if (event.type === 'order.full_confirmed') console.log(`${event.seq} ship ${event.subject}`)
    if (event.type === 'payment.reversed') {
      console.log(`${event.seq} stop the shipment: ${event.data['amount_sat']} sat are gone`)
      tellBooked()
    }
  },
  { types: ['order.full_confirmed', 'payment.reversed'] },
)

const registered = await engine.wallets.register({ name: 'shop', descriptor }, 'operator:me')
if (!registered.ok) throw new Error(registered.error.message)
const wallet = registered.value.wallet.id
const made = await engine.orders.create({ wallet, amount: sat(150_000n) }, 'operator:me')
if (!made.ok) throw new Error(made.error.message)

devnet.pay(made.value.order.address, 150_000n)
devnet.mine(3)
await engine.sync()
devnet.reorg(3)
await engine.sync()
await booked

await subscribers.close()
await store.close()
await source.close()
await devnet.close()
