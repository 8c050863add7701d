import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import {
  addressOf,
  createDevnet,
  createDevnetInProcess,
  type Devnet,
  type DevnetOptions,
  namedKey,
  type RpcError,
  type TransportFault,
} from './index.ts'

const NOW = 1_700_000_000_000
const clock = () => NOW
const shopKey = namedKey('shop')
const { script } = shopKey
const shop = addressOf(script) ?? ''
const open: Devnet[] = []
const fresh = (options: DevnetOptions = {}) =>
  createDevnetInProcess({ clock, verifySignatures: false, ...options })
const listening = async (options: DevnetOptions = {}) => {
  const devnet = await createDevnet({ clock, ...options })
  open.push(devnet)
  return devnet
}
afterEach(async () => {
  for (const devnet of open.splice(0)) await devnet.close()
})

describe('a fresh devnet', () => {
  it('has mature coins, real signatures and a tip at the clock', () => {
    const devnet = createDevnetInProcess({ clock })
    expect(devnet.tip.height).toBe(110)
    expect(devnet.view.header(devnet.tip.hash)?.time).toBe(NOW / 1000)
    const { txid } = devnet.faucet(shop, 250_000n)
    expect(devnet.view.coin(txid, 0)).toMatchObject({ value: 250_000n, confirmations: 1 })
    const large = devnet.faucet(shop, 12_000_000_000n, { confirmations: 3 })
    expect(devnet.view.coin(large.txid, 0)).toMatchObject({ confirmations: 3 })
  })
  it('is the same for the same seed and calls, and different for another seed', () => {
    const story = (seed: string) => {
      const devnet = fresh({ seed, verifySignatures: true })
      devnet.pay(shop, 1000n)
      devnet.mine(3)
      devnet.spend({ from: 'x', outs: [{ address: shop, amount: 5000 }] })
      devnet.reorg(2)
      return devnet.tip.hash
    }
    expect(story('one')).toBe(story('one'))
    expect(story('one')).not.toBe(story('two'))
  })
  it('costs little enough for thousands', () => {
    const many = Array.from({ length: 2000 }, () => fresh())
    many[0]?.mine()
    expect(many[1]?.tip.height).toBe(110)
    expect(many[0]?.tip.height).toBe(111)
  })
  it('can begin at genesis', () => {
    const devnet = fresh({ start: 'genesis' })
    expect(devnet.tip.hash).toBe('0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206')
    devnet.mine(2)
    expect(devnet.tip.height).toBe(2)
  })
})

describe('exact blocks', () => {
  it('hold what the mempool refused, and nothing else', () => {
    const devnet = fresh()
    const first = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 5000 }] })
    const second = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 4000 }], fee: 200 })
    const other = devnet.pay(shop, 700n)
    devnet.send(first.raw)
    expect(devnet.trySend(second.raw)).toMatch(/^insufficient fee/)
    const hash = devnet.mineBlock({ txids: [second.txid] })
    expect(devnet.view.blockTxids(hash)?.slice(1)).toEqual([second.txid])
    expect(devnet.view.mempool()).toEqual([other.txid])
  })
  it('refuse what breaks a rule, with the reason, and change nothing', () => {
    const devnet = fresh()
    const a = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 5000 }] })
    const b = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 4000 }] })
    const { tip } = devnet
    expect(() => devnet.mineBlock({ transactions: [a.raw, b.raw] })).toThrow(
      expect.objectContaining({ code: 'DEVNET_BLOCK_REFUSED' }),
    )
    expect(devnet.tip).toEqual(tip)
  })
  it('pay their coinbase where it is wanted', () => {
    const devnet = fresh()
    const hash = devnet.mineBlock({ coinbaseTo: shop })
    const [coinbase = ''] = devnet.view.blockTxids(hash) ?? []
    expect(devnet.view.coin(coinbase, 0)).toMatchObject({ coinbase: true, script })
  })
})

describe('reorganisation', () => {
  it('moves, drops and double-spends in one step', () => {
    const devnet = fresh()
    const paid = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 5000 }] })
    const thief = devnet.spend({
      from: 'x',
      outs: [{ script: namedKey('thief').script, amount: 5 }],
    })
    const moved = devnet.pay(shop, 900n)
    devnet.send(paid.raw)
    devnet.mine(3)
    devnet.reorg(3, { blocks: [[thief.raw], [moved.txid], [], []] })
    expect(devnet.tip.height).toBe(114)
    expect(devnet.view.coin(paid.txid, 0)).toBeUndefined()
    expect(devnet.view.coin(thief.txid, 0)).toMatchObject({ confirmations: 4 })
    expect(devnet.view.coin(moved.txid, 0)).toMatchObject({ confirmations: 3 })
    expect(devnet.view.mempool()).toEqual([])
  })
  it('wins with fewer blocks too', () => {
    const devnet = fresh()
    const { txid } = devnet.pay(shop, 900n)
    devnet.mine(4)
    const old = devnet.tip.hash
    devnet.reorg(4, { blocks: 1 })
    expect(devnet.tip.height).toBe(111)
    expect(devnet.view.mempool()).toEqual([txid])
    expect(devnet.view.header(old)?.onBestChain).toBe(false)
    devnet.mine(9)
    expect(devnet.view.header(old)?.onBestChain).toBe(false)
  })
  it('goes deeper than coinbase maturity', () => {
    const devnet = fresh()
    devnet.mine(120)
    const { txid } = devnet.pay(shop, 900n)
    devnet.mine(1)
    devnet.reorg(121)
    expect(devnet.tip.height).toBe(232)
    expect(devnet.view.mempool()).toEqual([txid])
  })
  it('that holds a bad block leaves everything as it was', () => {
    const devnet = fresh()
    const a = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 5000 }] })
    const b = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 4000 }] })
    const waiting = devnet.pay(shop, 900n)
    devnet.mine(2)
    devnet.evict(waiting.txid)
    const { tip } = devnet
    expect(() => devnet.reorg(2, { blocks: [[a.raw], [b.raw], []] })).toThrow(
      /bad-txns-inputs-missingorspent/,
    )
    expect(devnet.tip).toEqual(tip)
    expect(devnet.view.mempool()).toEqual([])
    devnet.mine()
    expect(devnet.tip.height).toBe(tip.height + 1)
  })
})

describe('several devnets', () => {
  it('are one network while connected, two while apart, and join on the longer chain', () => {
    const left = fresh({ seed: 'left' })
    const right = fresh({ seed: 'right' })
    left.join(right)
    const shared = left.pay(shop, 900n)
    expect(right.view.mempool()).toEqual([shared.txid])
    left.mine()
    expect(right.tip).toEqual(left.tip)
    left.partition(right)
    const here = left.pay(shop, 1000n)
    left.mine(2)
    right.mine(3)
    expect(left.tip.height).toBe(right.tip.height - 1)
    left.join(right)
    expect(left.tip).toEqual(right.tip)
    expect(left.view.mempool()).toEqual([here.txid])
    expect(right.view.mempool()).toEqual([])
  })
})

describe('snapshots', () => {
  it('go back as often as wanted and do not leak into each other', () => {
    const devnet = fresh()
    const first = devnet.pay(shop, 900n)
    const snapshot = devnet.snapshot()
    const { tip } = devnet
    for (let round = 0; round < 2; round++) {
      devnet.mine(5)
      devnet.pay(shop, 1000n)
      devnet.restore(snapshot)
      expect(devnet.tip).toEqual(tip)
      expect(devnet.view.mempool()).toEqual([first.txid])
    }
  })
})

describe('spending', () => {
  it('spends coins of other keys when they are given', () => {
    const devnet = createDevnetInProcess({ clock })
    const { txid } = devnet.faucet(shop, 100_000n)
    const outs = [{ address: devnet.strangerAddress, amount: 99_500n }]
    const without = () => devnet.spend({ from: { txid, vout: 0 }, outs })
    expect(without).toThrow(expect.objectContaining({ code: 'DEVNET_KEY_UNKNOWN' }))
    const spend = devnet.spend({ from: `${txid}:0`, outs, keys: [shopKey.secret] })
    expect(spend.fee).toBe(500n)
    devnet.send(spend.raw)
    devnet.mine()
    expect(devnet.view.coin(spend.txid, 0)).toMatchObject({ value: 99_500n })
  })
  it('pays more with each spend of one coin, so that a later one replaces', () => {
    const devnet = fresh()
    const spends = [1, 2, 3].map((n) =>
      devnet.spend({ from: 'x', outs: Array(n).fill({ address: shop, amount: 5000 }) }),
    )
    for (const { raw } of spends) devnet.send(raw)
    expect(devnet.view.mempool()).toEqual([spends[2]?.txid])
  })
})

// --- over HTTP ------------------------------------------------------------------------------------
interface Reached {
  readonly status?: number
  readonly text?: string
  readonly error?: string
}
function call(devnet: Devnet, body: unknown, more: { path?: string; auth?: string } = {}) {
  const { port, hostname } = new URL(devnet.rpcUrl)
  const auth = more.auth ?? `${devnet.auth.user}:${devnet.auth.password}`
  const headers = { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }
  const path = more.path ?? '/'
  return new Promise<Reached>((resolve) => {
    const sent = request(
      { hostname, port, path, method: 'POST', headers, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    sent.on('error', (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? '' }))
    sent.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
}
const count = { jsonrpc: '1.0', id: 7, method: 'getblockcount' }

describe('the RPC over HTTP', () => {
  it('takes the password and the cookie, and nothing else', async () => {
    const devnet = await listening()
    const cookie = readFileSync(devnet.cookiePath, 'utf8')
    expect((await call(devnet, count)).text).toBe('{"result":110,"error":null,"id":7}\n')
    expect((await call(devnet, count, { auth: cookie })).status).toBe(200)
    expect((await call(devnet, count, { auth: 'devnet:' })).status).toBe(401)
    expect((await call(devnet, count, { path: '/other' })).status).toBe(404)
    await devnet.restart()
    expect((await call(devnet, count, { auth: cookie })).status).toBe(401)
    expect(existsSync(devnet.cookiePath)).toBe(true)
    await devnet.close()
    expect(existsSync(devnet.cookiePath)).toBe(false)
  })
  it('answers requests of every form', async () => {
    const devnet = await listening()
    const text = async (body: unknown) => {
      const { status, text: answer } = await call(devnet, body)
      return `${status} ${answer?.trim()}`
    }
    const error = (code: number, message: string, id: unknown = null) =>
      `{"result":null,"error":{"code":${code},"message":"${message}"},"id":${JSON.stringify(id)}}`
    expect(await text({ method: 'getblockhash', params: { height: 0 }, id: 'a' })).toMatch(
      /^200 \{"result":"0f9188f1[0-9a-f]+","error":null,"id":"a"\}$/,
    )
    expect(await text({ ...count, params: { nosuch: 1 } })).toBe(
      `500 ${error(-8, 'Unknown named parameter nosuch', 7)}`,
    )
    expect(await text({ id: 1 })).toBe(`400 ${error(-32600, 'Missing method', 1)}`)
    expect(await text({ id: 1, method: 5 })).toBe(
      `400 ${error(-32600, 'Method must be a string', 1)}`,
    )
    expect(await text('7')).toBe(`500 ${error(-32700, 'Top-level object parse error')}`)
    expect(await text([])).toBe('200 []')
    expect(await text({ jsonrpc: '2.0', method: 'getblockcount' })).toBe('204 ')
    const wrongName = { jsonrpc: '2.0', method: 'nosuch', id: 2 }
    expect(await text(wrongName)).toBe(
      '200 {"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":2}',
    )
    const both = [count, { jsonrpc: '2.0', method: 'getblockcount', id: null }, 5]
    expect(await text(both)).toBe(
      `200 [{"result":110,"error":null,"id":7},{"jsonrpc":"2.0","result":110,"id":null},{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request object"},"id":null}]`,
    )
  })
  it('fails as a network fails, once for each armed fault', async () => {
    const devnet = await listening()
    const { raw, txid } = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 5000 }] })
    const send = { id: 1, method: 'sendrawtransaction', params: [raw] }
    devnet.faults.arm({ method: 'sendrawtransaction', kind: 'reset' })
    expect((await call(devnet, send)).error).toBe('ECONNRESET')
    expect(devnet.view.mempool()).toEqual([])
    devnet.faults.arm({ method: 'sendrawtransaction', kind: 'error', code: -25, message: 'no' })
    expect((await call(devnet, send)).text).toMatch(/"code":-25,"message":"no"/)
    devnet.faults.arm({ method: '*', kind: 'warming_up', times: 2 })
    expect((await call(devnet, count)).text).toMatch(/"code":-28,"message":"Verifying blocks…"/)
    expect((await call(devnet, count)).status).toBe(500)
    devnet.faults.arm({ method: 'getblockcount', kind: 'garbage' })
    expect((await call(devnet, count)).text).toMatch(/^<html>/)
    devnet.faults.arm({ method: 'getblockcount', kind: 'delay', ms: 5 })
    expect((await call(devnet, count)).status).toBe(200)
    devnet.faults.arm({ method: 'sendrawtransaction', kind: 'timeout_after' })
    const waiting = call(devnet, send)
    await new Promise((resolve) => setImmediate(resolve))
    while (devnet.view.mempool().length === 0) await new Promise(setImmediate)
    expect(devnet.view.mempool()).toEqual([txid])
    expect(devnet.faults.pending()).toEqual([])
    expect(devnet.faults.hits).toBe(7)
    await devnet.down()
    expect((await waiting).error).toBe('ECONNRESET')
    expect((await call(devnet, count)).error).toBe('ECONNREFUSED')
    await devnet.up()
    expect((await call(devnet, count)).status).toBe(200)
    devnet.faults.arm({ method: 'nosuch', kind: 'reset' })
    expect(devnet.faults.pending()).toHaveLength(1)
  })
})

describe('the life of the node', () => {
  it('ends with an answer when it is told to', async () => {
    const devnet = await listening()
    const stop = await call(devnet, { id: 1, method: 'stop' })
    expect(stop.text).toMatch(/"result":"Bitcoin Core stopping"/)
    let after = await call(devnet, count)
    while (after.error === undefined) after = await call(devnet, count)
    expect(after.error).toMatch(/ECONNREFUSED|ECONNRESET/)
  })
  it('ends and begins again: uptime, mempool, loading', async () => {
    let now = NOW
    const devnet = createDevnetInProcess({ clock: () => now, verifySignatures: false })
    now += 90_000
    expect(await devnet.rpc('uptime')).toBe(3690)
    const { txid } = devnet.pay(shop, 900n)
    await devnet.restart()
    expect(await devnet.rpc('uptime')).toBe(0)
    expect(devnet.view.mempool()).toEqual([txid])
    await devnet.restart({ mempool: 'loading' })
    expect(await devnet.rpc('getmempoolinfo')).toMatchObject({ loaded: false, size: 0 })
    devnet.finishLoading()
    expect(await devnet.rpc('getmempoolinfo')).toMatchObject({ loaded: true, size: 1 })
    await devnet.restart({ mempool: 'lost' })
    expect(devnet.view.mempool()).toEqual([])
  })
  it('fails in process as it fails over HTTP', async () => {
    const devnet = fresh()
    const kind = (name: string) =>
      expect.objectContaining<Partial<TransportFault>>({ kind: name as 'down' })
    devnet.faults.arm({ method: 'getblockcount', kind: 'timeout_before' })
    await expect(devnet.rpc('getblockcount')).rejects.toEqual(kind('timeout_before'))
    expect(await devnet.rpc('getblockcount')).toBe(110)
    await devnet.down()
    await expect(devnet.rpc('getblockcount')).rejects.toEqual(kind('down'))
    expect(devnet.call('getblockcount')).toBe(110)
    await devnet.up()
    await expect(devnet.rpc('getblockhash', [999])).rejects.toEqual(
      expect.objectContaining<Partial<RpcError>>({ code: -8 }),
    )
  })
  it('prunes: headers stay, blocks go, and the answer says why', async () => {
    const devnet = fresh()
    const hash = devnet.view.hashAt(60) ?? ''
    devnet.prune(100)
    expect(devnet.view.block(hash)).toBeUndefined()
    await expect(devnet.rpc('getblock', [hash])).rejects.toThrow(
      'Block not available (pruned data)',
    )
    expect(await devnet.rpc('getblockheader', [hash])).toMatchObject({ height: 60 })
    expect(await devnet.rpc('getblockchaininfo')).toMatchObject({ pruned: true, pruneheight: 101 })
    devnet.pay(shop, 900n)
    devnet.mine()
    expect(devnet.tip.height).toBe(111)
  })
})
