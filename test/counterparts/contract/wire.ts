import { strict as assert } from 'node:assert'
import { createBitcoindClient } from '@kaccy/bitcoin/adapters/bitcoind'
import { Secret } from '@kaccy/bitcoin/kernel'
import { failsWith } from './bench.ts'
import type { Check } from './check.ts'

const WITHOUT_PARAMETERS = [
  'getnetworkinfo',
  'uptime',
  'getnettotals',
  'getmempoolinfo',
  'getindexinfo',
  'getzmqnotifications',
  'listwallets',
] as const

/** How the node is spoken to, and what it can do. */
export const WIRE_CHECKS: readonly Check[] = [
  {
    name: 'a batch may succeed and fail in one answer',
    run: async ({ client }) => {
      const replies = await client.rpc.askAll([
        { method: 'getblockcount', params: [] },
        { method: 'getblockhash', params: [99_999_999] },
        { method: 'nosuchmethod', params: [] },
        { method: 'getblockhash', params: [0] },
      ])
      assert.deepEqual(
        replies.map(({ ok }) => ok),
        [true, false, false, true],
      )
    },
  },
  {
    name: 'JSON-RPC 2.0 is understood as well',
    run: async ({ options }) => {
      const client = createBitcoindClient({ ...options, jsonrpc: '2.0' })
      assert.ok((await client.getBlockCount()) >= 0)
      assert.equal(await client.getBlockHash(99_999_999), undefined)
      client.close()
    },
  },
  {
    name: 'a wrong password is refused and shown to nobody',
    run: async ({ options }) => {
      const password = 'wrong-password-of-the-contract'
      const auth = { user: 'nobody', password: new Secret(password) }
      const client = createBitcoindClient({ ...options, auth })
      const error: unknown = await client.getBlockCount().catch((caught: unknown) => caught)
      assert.ok(error instanceof Error && 'code' in error)
      assert.equal(error.code, 'NODE_UNAUTHORIZED')
      assert.ok(!`${JSON.stringify(error)}${error.stack}`.includes(password))
      client.close()
    },
  },
  {
    name: 'a method that does not exist is named as missing',
    run: async ({ client }) => failsWith('NODE_METHOD_MISSING', client.call('nosuchmethod')),
  },
  {
    name: 'what the probe calls missing is missing, and the rest is there',
    run: async ({ source, client }) => {
      const { methods } = await source.capabilities()
      for (const method of WITHOUT_PARAMETERS) {
        const call = client.call(method)
        if (methods[method]) await call
        else await failsWith('NODE_METHOD_MISSING', call)
      }
      assert.equal(methods.getmempoolinfo, true)
    },
  },
  {
    name: 'a cancelled call ends at once',
    run: async ({ client }) =>
      failsWith('NODE_CALL_CANCELLED', client.getBlockCount({ signal: AbortSignal.abort() })),
  },
  {
    name: 'a certificate that is not the pinned one ends the connection',
    run: async ({ options }) => {
      if (!options.url.startsWith('https:')) return 'the node speaks plain HTTP'
      const client = createBitcoindClient({ ...options, tls: { pins: ['00'.repeat(32)] } })
      await failsWith('NODE_CERTIFICATE_REFUSED', client.getBlockCount())
      client.close()
      return undefined
    },
  },
]
