import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDevnetInProcess, type Devnet } from '@kaccy/devnet'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBtcd, startBtcd } from '../test/counterparts/btcd.ts'
import { reasonToSkip, type TestNode } from '../test/counterparts/node.ts'
import { findPostgres, startPostgres, type TestPostgres } from '../test/counterparts/postgres.ts'
import { callKaccy, objectsOf, type Said, startKaccy } from './kaccy.ts'

const DESCRIPTOR =
  'wpkh([73c5da0a/84h/1h/0h]tpubDC8msFGeGuwnKG9Upg7DM2b4DaRqg3CUZa5g8v2SRQ6K4NSkxUgd7HsL2XVWbVm39yBA4LAxysQAm397zwQSQoQgewGiYZqrA9DsP4zbQ1M/<0;1>/*)'
const reason =
  reasonToSkip('btcd', await findBtcd()) ?? reasonToSkip('PostgreSQL', await findPostgres())

/** Makes btcd's chain: its blocks and payments are mined and signed here and handed over, as by a miner and a payer. */
class Network {
  readonly makers: Devnet = createDevnetInProcess({ seed: 'real' })
  readonly #node: TestNode
  #known = new Set<string>()
  constructor(node: TestNode) {
    this.#node = node
  }
  async hand(): Promise<void> {
    const { view } = this.makers
    for (let height = 1; height <= this.makers.tip.height; height++) {
      const hash = view.hashAt(height) ?? ''
      if (this.#known.has(hash)) continue
      await this.#node.submitBlock(Buffer.from(view.block(hash) ?? []).toString('hex'))
      this.#known.add(hash)
    }
  }
  async pay(address: string, amount: bigint): Promise<string> {
    const { raw, txid } = this.makers.pay(address, amount)
    await this.#node.rpc('sendrawtransaction', [raw])
    return txid
  }
}

const order = (said: Said): Said => (said['order'] ?? {}) as Said
const orderIs = (status: string, credited: number) => (said: Said) =>
  said['type'] === 'state' &&
  order(said)['status'] === status &&
  order(said)['credited_sat'] === credited

describe.skipIf(reason !== undefined)('watch on btcd over TLS, with PostgreSQL', () => {
  let folder: string
  let node: TestNode
  let server: TestPostgres
  let network: Network
  let where: readonly string[]
  let database: readonly string[]
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kaccy-real-'))
    server = await startPostgres()
    node = await startBtcd()
    network = new Network(node)
    await network.hand()
    const { url, auth, tls } = node.source
    if (!('user' in auth)) throw new TypeError('btcd has a user')
    writeFileSync(join(folder, 'ca.pem'), tls?.ca ?? '')
    writeFileSync(join(folder, 'password'), `${auth.password.reveal()}\n`)
    database = ['--network', 'regtest', '--database', await server.createDatabase(), '--json']
    where = [
      ...['--node', url, '--user', auth.user, '--password-file', join(folder, 'password')],
      ...['--ca', join(folder, 'ca.pem'), '--poll', '200'],
      ...database,
    ]
  })
  afterAll(async () => {
    await node.stop()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  test('a payment, a kill, a reorganisation and the books', async () => {
    const doctor = await callKaccy(['doctor', ...where])
    expect(objectsOf(doctor).filter(({ state }) => state === 'failed')).toEqual([])
    const watch = ['watch', ...where, '--descriptor', DESCRIPTOR, '--lookahead', '40']
    const first = startKaccy([...watch, '--order', '150000'])
    const address = String(order(await first.said(orderIs('pending', 0)))['address'])
    const txid = await network.pay(address, 150_000n)
    await first.said(orderIs('unconfirmed', 0))
    first.process.kill('SIGKILL')
    await first.ended

    network.makers.mine(3)
    await network.hand()
    const second = startKaccy([...watch, '--order', '150000'])
    await second.said(orderIs('full_confirmed', 150_000))
    network.makers.reorg(3)
    await network.hand()
    await second.said(orderIs('unconfirmed', 0))
    network.makers.mineBlock({ txids: [txid] })
    network.makers.mine(5)
    await network.hand()
    await second.said(orderIs('finalized', 150_000))
    second.process.kill('SIGINT')
    expect(await second.ended).toMatchObject({ code: 130, stderr: '' })

    const drift = await callKaccy(['reconcile', ...where])
    expect(drift).toMatchObject({ code: 0, stderr: '' })
    expect(objectsOf(drift)).toMatchObject([{ ours_sat: 150_000, node_sat: 150_000, drifts: [] }])
    const books = await callKaccy(['books', ...database])
    expect(books).toMatchObject({ code: 0 })
    const sum = objectsOf(books).reduce((total, { balance_sat }) => total + Number(balance_sat), 0)
    expect(sum).toBe(0)
    expect(await callKaccy(['audit', 'verify', ...database])).toMatchObject({ code: 0 })
  })

  test('a wrong password, a wrong authority, a database that is away', async () => {
    const ask = async (...args: string[]) => {
      const { code, stderr } = await callKaccy(['watch', ...where, ...args])
      return [code, (JSON.parse(stderr) as Said)['code']]
    }
    writeFileSync(join(folder, 'other'), 'another password')
    expect(await ask('--password-file', join(folder, 'other'))).toEqual([3, 'NODE_UNAUTHORIZED'])
    expect(await ask('--pin', 'ab'.repeat(32))).toEqual([3, 'NODE_CERTIFICATE_REFUSED'])
    const away = 'postgres://nobody@127.0.0.1:1/kaccy'
    expect(await ask('--database', away)).toEqual([4, 'STORE_UNAVAILABLE'])
  })
})
