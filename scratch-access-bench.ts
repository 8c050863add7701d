import { createEngine } from '@kaccy/bitcoin'
import { openStore } from '@kaccy/bitcoin/adapters/sql'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { systemEntropy, systemSha256 } from '@kaccy/bitcoin/adapters/system'
import { sat } from '@kaccy/bitcoin/kernel'
import Database from 'better-sqlite3'
import { createHash } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { openShop } from '/work/wt-access/tools/bench/shop.ts'
import { startPostgres, findPostgres } from '/work/wt-access/test/counterparts/postgres.ts'

async function measure(name: string, store: any) {
  const shop = await openShop({ store })
  const { engine, wallet } = shop
  let n = 0
  const input = { wallet, amount: sat(100_000n) }
  const plain = () => engine.orders.create(input, 'api:key_1')
  const once = () => {
    const digest = createHash('sha256').update(`POST /v1/orders ${++n}`).digest('hex')
    return engine.orders.create(input, 'api:key_1', {
      request: { scope: 'key_0192', key: `idem-${n}`, digest },
      answer: ({ order }: any) => ({ status: 201, body: JSON.stringify({ id: order.id, address: order.address, amount_sat: 100000, status: 'pending', metadata: {}, pad: 'x'.repeat(600) }) }),
    })
  }
  const run = async (make: () => Promise<any>, total: number, parallel: number) => {
    const start = performance.now()
    let left = total
    await Promise.all(Array.from({ length: parallel }, async () => { while (left-- > 0) { const r = await make(); if (!r.ok) throw new TypeError(r.error.message) } }))
    return total / ((performance.now() - start) / 1000)
  }
  await run(plain, 300, 8); await run(once, 300, 8)
  for (const parallel of [1, 64]) {
    const total = parallel === 1 ? 400 : 3000
    const a: number[] = [], b: number[] = []
    for (let i = 0; i < 5; i++) { a.push(await run(plain, total, parallel)); b.push(await run(once, total, parallel)) }
    const med = (x: number[]) => x.toSorted((p, q) => p - q)[2]!
    console.log(`${name} x${parallel}: plain ${med(a).toFixed(0)}/s once ${med(b).toFixed(0)}/s ratio ${(med(b) / med(a)).toFixed(2)}`)
  }
  const made = await engine.access.create({ name: 'x', scopes: ['orders:write'], addresses: ['192.0.2.0/24'] }, 'operator:a')
  if (!made.ok) throw new TypeError('x')
  for (let i = 0; i < 100; i++) await engine.access.create({ name: 'x', scopes: ['orders:write'] }, 'operator:a')
  const token = made.value.secret.reveal()
  for (const parallel of [1, 64]) {
    const auth = async () => engine.access.authenticate(token, '192.0.2.7', 1_780_000_000_000)
    await run(auth, 2000, parallel)
    const r = await run(auth, 20000, parallel)
    console.log(`${name} authenticate x${parallel}: ${r.toFixed(0)}/s, ${(1e6 / r).toFixed(0)} us each`)
  }
  await store.close()
}
await measure('memory', createMemoryStore())
const dir = mkdtempSync('/tmp/access-bench-')
await measure('SQLite', await openStore({ dialect: 'sqlite', database: new Database(`${dir}/a.db`), migrate: true }))
const found = await findPostgres()
if (!('missing' in found)) {
  const server = await startPostgres()
  const url = await server.createDatabase()
  const pool = server.pool(url, 10)
  await measure('PostgreSQL', await openStore({ dialect: 'postgres', database: pool as any, migrate: true }))
  await pool.end(); await server.stop()
}
