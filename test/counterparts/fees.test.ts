import { type BitcoindOptions, createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { type Metrics, Secret, type Tracer } from '@kaccy/bitcoin/kernel'
import { afterEach, expect, test } from 'vitest'
import { type HttpNode, serve } from './http-node.ts'

interface Call {
  readonly id: number
  readonly method: string
  readonly params: readonly unknown[]
}
/** Result as JSON text, digit by digit; undefined: the node has no such method. */
type Answer = (call: Call) => { result?: string; error?: string } | undefined

let node: HttpNode | undefined
afterEach(async () => node?.stop())

async function sourceThatSays(answer: Answer, more: Partial<BitcoindOptions> = {}) {
  const reply = (call: Call) => {
    const said = answer(call) ?? { error: '{"code":-32601,"message":"Method not found"}' }
    return `{"result":${said.result ?? 'null'},"error":${said.error ?? 'null'},"id":${call.id}}`
  }
  node = await serve(({ body }) => {
    const asked = JSON.parse(body) as Call | Call[]
    const responseText = Array.isArray(asked) ? `[${asked.map(reply).join()}]` : reply(asked)
    return { status: 200, responseText }
  })
  return createBitcoindSource({
    url: node.url,
    auth: { user: 'u', password: new Secret('p') },
    retry: { attempts: 1 },
    ...more,
  })
}
const MEMPOOL = '{"size":0,"bytes":0,"mempoolminfee":0.00001000,"minrelaytxfee":1e-05}'

test('rates are read digit by digit, both modes of every target, in one batch', async () => {
  const source = await sourceThatSays(({ method, params }) => {
    if (method === 'getmempoolinfo') return { result: MEMPOOL }
    if (method !== 'estimatesmartfee') return { result: 'null' }
    const [target, mode] = params
    const rate = mode === 'conservative' ? '0.00029999' : '0.00012345'
    return { result: `{"feerate":${rate},"blocks":${Math.max(2, Number(target))}}` }
  })
  const before = node?.requests.length ?? 0
  const report = await source.fees?.()
  // One batch learns what the node can, the other asks.
  expect((node?.requests.length ?? 0) - before).toBe(2)
  expect(report?.estimates).toHaveLength(14)
  expect(report?.estimates.slice(0, 2)).toEqual([
    { target: 1, mode: 'economical', rate: 12_345n, blocks: 2, source: 'estimatesmartfee' },
    { target: 1, mode: 'conservative', rate: 29_999n, blocks: 2, source: 'estimatesmartfee' },
  ])
  expect(report).toMatchObject({
    mempoolMinimum: { rate: 1000n, source: 'mempool' },
    relayMinimum: { rate: 1000n, source: 'mempool' },
    reasons: [],
  })
  await source.close()
})

test('a node that knows too little says so once, and one without the call gives its floors', async () => {
  const young = await sourceThatSays(({ method }) =>
    method === 'estimatesmartfee'
      ? { result: '{"errors":["Insufficient data or no feerate found"],"blocks":2}' }
      : { result: method === 'getmempoolinfo' ? MEMPOOL : 'null' },
  )
  expect(await young.fees?.()).toMatchObject({
    estimates: [],
    reasons: ['Insufficient data or no feerate found'],
  })
  await young.close()
  await node?.stop()
  const lacking = await sourceThatSays(({ method }) =>
    method === 'getmempoolinfo' ? { result: '{"size":0,"bytes":0}' } : undefined,
  )
  const report = await lacking.fees?.()
  expect(report).toMatchObject({
    estimates: [],
    reasons: ['the node does not have estimatesmartfee'],
  })
  expect(report).not.toHaveProperty('mempoolMinimum')
  await lacking.close()
})

test('a node without its estimator is one without estimates', async () => {
  const source = await sourceThatSays(({ method }) =>
    method === 'estimatesmartfee'
      ? { error: '{"code":-32603,"message":"Fee estimation disabled"}' }
      : { result: method === 'getmempoolinfo' ? MEMPOOL : 'null' },
  )
  expect(await source.fees?.()).toMatchObject({
    estimates: [],
    reasons: ['Fee estimation disabled'],
  })
  await source.close()
})

test.each(['"0.0001"', '-0.00001', '0.000000001', '22000000', 'true', '1e400'])(
  'a rate of %s is no answer',
  async (rate) => {
    const source = await sourceThatSays(({ method }) =>
      method === 'estimatesmartfee'
        ? { result: `{"feerate":${rate},"blocks":2}` }
        : { result: method === 'getmempoolinfo' ? MEMPOOL : 'null' },
    )
    await expect(source.fees?.()).rejects.toMatchObject({ code: 'NODE_ANSWER_INVALID' })
    await source.close()
  },
)

test('calls are timed and traced by method and outcome, never with an argument', async () => {
  const noted: unknown[] = []
  const tracer: Tracer = {
    async span(name, attributes, work, outcome) {
      try {
        const value = await work()
        noted.push({ name, ...attributes, ...outcome?.(value) })
        return value
      } catch (error) {
        noted.push({ name, ...attributes, error: (error as { code?: string }).code })
        throw error
      }
    },
  }
  const timed: unknown[] = []
  const metrics: Metrics = {
    count: () => {},
    gauge: () => {},
    observe: (name, value, labels) => timed.push([name, value >= 0, labels]),
  }
  const secret = 'ab'.repeat(32)
  const source = await sourceThatSays(
    ({ method }) =>
      method === 'getblockhash'
        ? { result: `"${secret}"` }
        : method === 'getmempoolentry'
          ? { error: '{"code":-5,"message":"Transaction not in mempool"}' }
          : { result: '7' },
    { tracer, metrics },
  )
  const { client } = source
  await client.getBlockHash(777_777)
  await client.getMempoolEntry(secret as never)
  await client.rpc.askAll([{ method: 'getblockcount', params: [] }])
  await expect(client.getBlockHeader(secret as never)).rejects.toThrow()
  await source.close()
  await node?.stop()
  await expect(client.getBlockCount()).rejects.toThrow()
  const rpc = { 'rpc.system': 'bitcoind' }
  expect(noted).toEqual([
    { name: 'bitcoind getblockhash', ...rpc, 'rpc.method': 'getblockhash', outcome: 'ok' },
    {
      name: 'bitcoind getmempoolentry',
      ...rpc,
      'rpc.method': 'getmempoolentry',
      outcome: 'rpc -5',
    },
    { name: 'bitcoind batch', ...rpc, 'rpc.method': 'batch', outcome: 'ok' },
    { name: 'bitcoind getblockheader', ...rpc, 'rpc.method': 'getblockheader', outcome: 'ok' },
    {
      name: 'bitcoind getblockcount',
      ...rpc,
      'rpc.method': 'getblockcount',
      error: 'NODE_UNREACHABLE',
    },
  ])
  expect(JSON.stringify(noted)).not.toContain(secret)
  expect(JSON.stringify(noted)).not.toContain('777777')
  expect(timed).toHaveLength(5)
  expect(timed[0]).toEqual(['kaccy_node_call_seconds', true, { method: 'getblockhash' }])
})
