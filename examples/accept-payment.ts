/**
 * The engine inside your own program: an address for an order, and the money in the books. The chain runs in this process;
 * for a real one replace `devnet.rpcUrl` and the cookie by your node's, and `regtest` by its network.
 */
import { createEngine } from '@kaccy/bitcoin'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import { systemClock, systemEntropy } from '@kaccy/bitcoin/adapters/system'
import { sat } from '@kaccy/bitcoin/kernel'
import { createDevnet } from '@kaccy/devnet'
import Database from 'better-sqlite3'

const descriptor =
  'wpkh([73c5da0a/84h/1h/0h]tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M/<0;1>/*)'

const devnet = await createDevnet()
const database = new Database(':memory:')
const store = await openStore({ dialect: 'sqlite', database, migrate: true })
const source = createBitcoindSource({
  url: devnet.rpcUrl,
  auth: { cookieFile: devnet.cookiePath },
})
const parts = { store, source, clock: systemClock, entropy: systemEntropy }
const engine = await createEngine({ network: 'regtest', ...parts })
await engine.sync()

const registered = await engine.wallets.register({ name: 'shop', descriptor }, 'operator:me')
if (!registered.ok) throw new Error(registered.error.message)
const wallet = registered.value.wallet.id
const made = await engine.orders.create({ wallet, amount: sat(150_000n) }, 'operator:me')
if (!made.ok) throw new Error(made.error.message)
const { id, address } = made.value.order
console.log(`please pay 150000 sat to ${address}`)

devnet.pay(address, 150_000n) // the customer
devnet.mine(3)
await engine.sync() // in a server: runEngine, which looks again and again

const paid = await engine.orders.get(id)
console.log(`${paid?.state.status}, ${paid?.state.verdict}, ${paid?.state.credited} sat credited`)
console.log(`the books verify: ${(await engine.ledger.verify()).ok}`)

await store.close()
await source.close()
await devnet.close()
