import { request } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  addressOf,
  createDevnet,
  createDevnetInProcess,
  type Devnet,
  type Fault,
  type FaultKind,
  namedKey,
  TransportFault,
} from '../index.ts'
import { RpcError } from './errors.ts'

const shop = addressOf(namedKey('shop').script) ?? ''
let devnet: Devnet
beforeAll(async () => {
  devnet = await createDevnet({ clock: 1_700_000_000_000 })
})
afterAll(async () => devnet.close())
beforeEach(() => devnet.faults.clear())

/** What a caller over HTTP gets: an answer, or how the network failed. */
async function http(body: unknown, timeout = 10_000): Promise<string> {
  const { hostname, port } = new URL(devnet.rpcUrl)
  const auth = `${devnet.auth.user}:${devnet.auth.password}`
  const options = { hostname, port, auth, method: 'POST', agent: false, timeout }
  return new Promise((resolve) => {
    const sent = request(options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve(`${response.statusCode} ${text.trim()}`))
    })
    sent.on('timeout', () => {
      sent.destroy()
      resolve('timeout')
    })
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    sent.end(JSON.stringify(body))
  })
}
const over = {
  async http(method: string, params: readonly unknown[] = [], timeout?: number): Promise<string> {
    const text = await http({ jsonrpc: '2.0', id: 1, method, params }, timeout)
    if (!text.startsWith('200 {')) return text.replace(/^200 /, '')
    const { result, error } = JSON.parse(text.slice(4))
    return error ? `${error.code} ${error.message}` : JSON.stringify(result)
  },
  async process(method: string, params: readonly unknown[] = []): Promise<string> {
    try {
      return JSON.stringify(await devnet.rpc(method, params))
    } catch (error) {
      if (error instanceof RpcError) return `${error.code} ${error.message}`
      if (error instanceof TransportFault) return error.kind
      throw error
    }
  },
}
/** What each kind does to a call: the answer over HTTP, in the process, and whether the node did it. */
const KINDS: Readonly<
  Record<FaultKind, [Partial<Fault>, string | RegExp, string | RegExp, boolean]>
> = {
  timeout_before: [{}, 'timeout', 'timeout_before', false],
  timeout_after: [{}, 'timeout', 'timeout_after', true],
  error: [{ code: -25, message: 'no' }, '-25 no', '-25 no', false],
  reset: [{}, 'ECONNRESET', 'reset', false],
  reset_after: [{}, 'ECONNRESET', 'reset_after', true],
  warming_up: [{}, '-28 Verifying blocks…', '-28 Verifying blocks…', false],
  delay: [{ ms: 30 }, /^\["/, /^\["/, true],
  garbage: [{}, /^<html>/, 'garbage', true],
  wrong: [{ answer: ['00'] }, '["00"]', '["00"]', true],
  stale: [{ blocks: 0, times: 1 }, /^\["/, /^\["/, true],
}

describe('every fault', () => {
  it.each(
    Object.entries(KINDS).flatMap(([kind, row]) =>
      (['http', 'process'] as const).flatMap((way) =>
        (['typed', 'called'] as const).map((armed) => [kind, way, armed, row] as const),
      ),
    ),
  )('%s by %s, %s, hits one call and leaves the next alone', async (kind, way, armed, row) => {
    const [more, byHttp, inProcess, isDone] = row
    const fault = { method: 'generatetoaddress', kind: kind as FaultKind, ...more }
    if (armed === 'typed') devnet.faults.arm(fault)
    else expect(await over.http('devnet_fault', [fault])).toMatch(/^\d+$/)
    const { height } = devnet.tip
    const patience = kind.startsWith('timeout') ? 80 : undefined
    const answer = await over[way]('generatetoaddress', [1, shop], patience)
    const wanted = way === 'http' ? byHttp : inProcess
    if (typeof wanted === 'string') expect(answer).toBe(wanted)
    else expect(answer).toMatch(wanted)
    expect(devnet.tip.height - height).toBe(isDone ? 1 : 0)
    expect(devnet.faults.hits).toBe(1)
    expect(devnet.faults.pending()).toEqual([])
    expect(await over[way]('generatetoaddress', [1, shop])).toMatch(/^\["/)
  })
  it('keeps a delayed answer as long as it is told', async () => {
    for (const way of ['http', 'process'] as const) {
      devnet.faults.arm({ method: 'getblockcount', kind: 'delay', ms: 40 })
      const began = performance.now()
      expect(await over[way]('getblockcount')).toBe(`${devnet.tip.height}`)
      expect(performance.now() - began).toBeGreaterThan(35)
    }
  })
  it('computes a wrong answer from the right one, with amounts in satoshi', async () => {
    const { txid } = devnet.faucet(shop, 50_000n)
    const answer = (right: { value: bigint }) => ({ ...right, value: right.value * 2n })
    devnet.faults.arm({ method: 'gettxout', kind: 'wrong', answer })
    expect(JSON.parse(await over.http('gettxout', [txid, 0]))).toMatchObject({ value: 0.001 })
    devnet.faults.arm({ method: 'getbestblockhash', kind: 'wrong', answer: null })
    expect(await over.http('getbestblockhash')).toBe('null')
  })
  it('waits for its call, its turn and its number of hits', async () => {
    const methods = ['getblockcount', 'getbestblockhash']
    devnet.faults.arm({
      method: methods,
      kind: 'error',
      code: -1,
      message: 'x',
      after: 1,
      times: 2,
    })
    const said = []
    for (const method of ['getblockcount', 'uptime', ...methods, 'getblockcount']) {
      said.push((await over.process(method)).startsWith('-1'))
    }
    expect(said).toEqual([false, false, true, true, false])
    expect(devnet.faults.list()).toMatchObject([{ hits: 2, left: 0 }])
    const id = devnet.faults.arm({ method: '*', kind: 'reset', times: Number.POSITIVE_INFINITY })
    expect(await over.http('uptime')).toBe('ECONNRESET')
    devnet.faults.clear(id)
    expect(await over.http('getblockcount')).toBe(`${devnet.tip.height}`)
  })
  it('in a batch breaks the whole answer, as one connection does', async () => {
    devnet.faults.arm({ method: 'uptime', kind: 'reset_after' })
    const call = (method: string) => ({ jsonrpc: '2.0', id: 1, method })
    expect(await http([call('getblockcount'), call('uptime')])).toBe('ECONNRESET')
  })
})

describe('a stale tip', () => {
  const batch = async (...methods: readonly [string, readonly unknown[]][]) => {
    const body = methods.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }))
    const answers = JSON.parse((await http(body)).slice(4)) as {
      result?: unknown
      error?: { code: number }
    }[]
    return answers.map(({ result, error }) => error?.code ?? result)
  }
  it('is one node that lags: all its answers fit together, over calls and batches, until it is cleared', async () => {
    const paid = devnet.pay(shop, 900n)
    devnet.mine(3)
    const { height, hash } = devnet.tip
    const old = devnet.view.hashAt(height - 3) ?? ''
    devnet.faults.arm({ method: '*', kind: 'stale', blocks: 3 })
    const look = () =>
      batch(
        ['getblockcount', []],
        ['getbestblockhash', []],
        ['getblockheader', [hash]],
        ['getrawmempool', []],
        ['gettxout', [paid.txid, 0, false]],
        ['getblockhash', [height]],
      )
    const lagging = [height - 3, old, -5, [paid.txid], null, -8]
    expect(await look()).toEqual(lagging)
    devnet.mine(2)
    devnet.pay(shop, 900n)
    expect(await look()).toEqual(lagging)
    expect(await over.process('getbestblockhash')).toBe(`"${old}"`)
    devnet.faults.clear()
    expect(await over.http('getblockcount')).toBe(`${height + 2}`)
    expect(devnet.view.header(hash)?.onBestChain).toBe(true)
  })
  it('passes on what it is given, and its own blocks are a branch of the real chain', async () => {
    devnet.mine(2)
    const { tip } = devnet
    devnet.faults.arm({
      method: ['generatetoaddress', 'sendrawtransaction'],
      kind: 'stale',
      blocks: 2,
    })
    const { raw, txid } = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 5000 }] })
    expect(await over.http('sendrawtransaction', [raw])).toBe(`"${txid}"`)
    expect(devnet.view.mempool()).toContain(txid)
    const [side] = JSON.parse(await over.http('generatetoaddress', [1, shop]))
    expect(devnet.tip).toEqual(tip)
    expect(devnet.view.header(side)).toMatchObject({ height: tip.height - 1, onBestChain: false })
    // Its branch grows until it has more work.
    await over.http('generatetoaddress', [2, shop])
    expect(devnet.tip.height).toBe(tip.height + 1)
    expect(devnet.view.header(side)?.onBestChain).toBe(true)
  })
  it('cannot be older than the chain', () => {
    const arm = (blocks: number) => () => devnet.faults.arm({ method: '*', kind: 'stale', blocks })
    expect(arm(devnet.tip.height + 1)).toThrow(/cannot lag/)
    expect(arm(-1)).toThrow(/cannot lag/)
    expect(arm(devnet.tip.height)).not.toThrow()
  })
})

describe('the powers by RPC', () => {
  const call = async (method: string, ...params: unknown[]) => {
    const text = await over.http(`devnet_${method}`, params)
    return /^-\d/.test(text) ? text : JSON.parse(text)
  }
  it('do what the typed ones do', async () => {
    const [hash] = await call('mine', 1, shop)
    expect(devnet.tip.hash).toBe(hash)
    const paid = await call('pay', shop, 0.5, { fee_rate: 7 })
    expect(devnet.rawTransaction(paid.txid)).toBe(paid.hex)
    const better = await call('replace', paid.txid, { outputs: { [shop]: '0.4' }, fee: 0.0005 })
    expect(better.fee).toBe(0.0005)
    expect(await call('evict', [better.txid])).toEqual([better.txid])
    const given = await call('faucet', shop, '0.1', 2)
    expect(devnet.view.coin(given.txid, 0)).toMatchObject({ value: 10_000_000n, confirmations: 2 })
    const done = await call('reorg', 2, { drop: [given.txid] })
    expect(done).toMatchObject({ gone: [given.txid], returned: [], kept: [] })
    expect(await call('rawTransaction', given.txid)).toBe(given.hex)
    expect((await call('reorg', 1, { blocks: [[given.txid], []] })).mined).toHaveLength(2)
    const id = await call('snapshot')
    const { tip } = devnet
    const { time } = await call('info')
    expect(await call('travel', 60, 1)).toMatchObject({ time: time + 60, mined: [devnet.tip.hash] })
    expect(await call('travelTo', time + 90)).toMatchObject({ time: time + 90 })
    expect(await call('restore', id)).toEqual(tip)
    expect(await call('feeSpike', 20)).toEqual([])
    expect(await over.http('getmempoolinfo')).toMatch(/"mempoolminfee":0.0002,/)
    await call('feeSpike', 1)
  })
  it('answer what is wrong with Core’s code and our word', async () => {
    expect(await call('restore', 'x')).toBe('-5 DEVNET_SNAPSHOT_UNKNOWN: no snapshot x')
    expect(await call('replace', '00'.repeat(32))).toMatch(/^-5 DEVNET_TRANSACTION_UNKNOWN: /)
    expect(await call('pay', 'x', 1)).toMatch(/^-5 DEVNET_ADDRESS_INVALID: not a regtest address/)
    expect(await call('pay', shop, 1, { rate: 1 })).toMatch(
      /^-8 DEVNET_USAGE: there is no option rate/,
    )
    expect(await call('reorg', 1, { keep: 'x' })).toBe('-8 DEVNET_USAGE: keep is a list of strings')
    expect(await call('reorg', 9999)).toMatch(/^-8 DEVNET_USAGE: cannot drop 9999 blocks/)
    expect(await call('fault', { kind: 'x' })).toMatch(/^-8 DEVNET_USAGE: kind is one of timeout_/)
    expect(await call('fault', { kind: 'delay', ms: -1 })).toMatch(/ms is a whole number/)
    expect(await call('travel', -1)).toMatch(/^-8 DEVNET_USAGE: time runs forward only/)
    expect(await call('restart', 'x')).toMatch(/^-8 DEVNET_USAGE: mempool is one of/)
  })
  it('pass by every fault, so that they can clear it', async () => {
    await call('fault', { kind: 'reset', times: 'always' })
    await call('fault', { kind: 'warming_up', times: 'always' })
    expect(await over.http('getblockcount')).toBe('ECONNRESET')
    expect(await call('faults')).toMatchObject([
      { kind: 'reset', hits: 1, left: 'always' },
      { hits: 0 },
    ])
    expect(await call('clearFaults')).toBeNull()
    expect(await over.http('getblockcount')).toBe(`${devnet.tip.height}`)
  })
  it('end connections and begin again', async () => {
    await call('down', 50)
    let text = await over.http('uptime')
    while (text !== 'ECONNREFUSED') text = await over.http('uptime')
    while (text === 'ECONNREFUSED') text = await over.http('uptime')
    const { txid } = devnet.pay(shop, 900n)
    await call('restart', 'loading')
    while (devnet.view.mempool().length > 0) await new Promise(setImmediate)
    await new Promise(setImmediate)
    while ((await over.http('uptime')) === 'ECONNREFUSED') await new Promise(setImmediate)
    expect(await over.http('getmempoolinfo')).toMatch(/"loaded":false,"size":0/)
    await call('finishLoading')
    expect(devnet.view.mempool()).toContain(txid)
  })
})

describe('a devnet that nobody closes', () => {
  it('is closed by its block', async () => {
    let url = ''
    {
      await using inner = await createDevnet()
      url = inner.rpcUrl
      expect(inner.tip.height).toBe(110)
    }
    await expect(fetch(url)).rejects.toThrow()
    await using other = createDevnetInProcess()
    expect(other.tip.height).toBe(110)
  })
})
