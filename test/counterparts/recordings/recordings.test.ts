import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createBitcoindClient } from '@kaccy/bitcoin/adapters/bitcoind'
import { Secret } from '@kaccy/bitcoin/kernel'
import { describe, expect, it } from 'vitest'
import { serve } from '../http-node.ts'
import { A, type Cases, H111 } from './cases.ts'
import { CHAIN_CASES } from './chain.ts'
import { MEMPOOL_CASES } from './mempool.ts'
import { MONEY_CASES } from './money.ts'
import { WALLET_CASES } from './wallet.ts'

const FOLDER = join(process.env['KACCY_SHARED'] ?? '../shared', 'fixtures/core-rpc')
const reason = existsSync(FOLDER) ? undefined : `no recordings of Bitcoin Core in ${FOLDER}`
if (reason) process.stderr.write(`SKIPPED: ${reason}\n`)

interface Fixture {
  readonly path: string
  readonly request?: {
    readonly method: string
    readonly params: unknown[]
    readonly jsonrpc: string
  }
  readonly status: number
  readonly contentType: string
  readonly responseText: string
}
const load = (name: string): Fixture =>
  JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Fixture

const CASES: Cases = { ...CHAIN_CASES, ...MEMPOOL_CASES, ...MONEY_CASES, ...WALLET_CASES }

/** Fields that only stand in the request because the recording called with another spelling of the same thing. */
const LOOSE = [
  'getrawtransaction',
  'gettxout',
  'getblock',
  'getblockheader',
  'getrawmempool',
  'testmempoolaccept',
]

describe.skipIf(reason)('recorded answers of Bitcoin Core 28.1', () => {
  const files = reason ? [] : readdirSync(FOLDER)
  const names = files.filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -5))

  it('covers every recording', () => {
    expect(names.length).toBeGreaterThanOrEqual(98)
    expect(Object.keys(CASES).sort()).toEqual([...names].sort())
  })

  it.each(names)('%s', async (name) => {
    const fixture = load(name)
    const played = CASES[name]
    expect(played).toBeDefined()
    const node = await serve((request) => {
      if (name === 'error-parse' || Array.isArray(fixture.request)) return fixture
      // Byte for byte, except for the id where a case needs more than one call.
      const id = (JSON.parse(request.body) as { id: number }).id
      return { ...fixture, responseText: fixture.responseText.replace(/"id":1\}/, `"id":${id}}`) }
    })
    const client = createBitcoindClient({
      url: node.url,
      auth: { user: 'u', password: new Secret('p') },
      retry: { attempts: 1 },
      jsonrpc: fixture.request?.jsonrpc === '2.0' ? '2.0' : '1.0',
    })
    try {
      const outcome = played?.play(client, (fixture.request?.params ?? []) as never[])
      if (played?.throws) await expect(outcome).rejects.toMatchObject(played.throws)
      else if (played?.check) played.check((await outcome) as never)
      else expect(await outcome).toMatchObject(played?.gives as object)
      const asked = node.requests.at(-1)
      expect(asked?.path).toBe(fixture.path)
      if (!fixture.request || Array.isArray(fixture.request)) return
      const { method, params } = JSON.parse(asked?.body ?? '{}') as {
        method: string
        params: unknown[]
      }
      expect(method).toBe(fixture.request.method)
      if (!LOOSE.includes(method)) expect(params).toEqual(fixture.request.params)
    } finally {
      client.close()
      await node.stop()
    }
  })

  it('reads no amount through a double', async () => {
    const node = await serve(() => ({
      status: 200,
      responseText: `{"result":{"bestblock":"${H111}","confirmations":1,"value":20999999.97690001,"scriptPubKey":{"hex":""},"coinbase":false},"error":null,"id":1}\n`,
    }))
    const client = createBitcoindClient({
      url: node.url,
      auth: { user: 'u', password: new Secret('p') },
    })
    const coin = await client.getTxOut({ txid: A, vout: 0 })
    expect(coin?.amount).toBe(2_099_999_997_690_001n)
    client.close()
    await node.stop()
  })
})
