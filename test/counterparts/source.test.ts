import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type BitcoindOptions,
  type BitcoindSource,
  createBitcoindSource,
  GENESIS,
} from '@kaccy/bitcoin/adapters/bitcoind'
import { type BlockHash, NETWORKS, Secret, type Txid, toHex } from '@kaccy/bitcoin/kernel'
import { afterEach, describe, expect, it } from 'vitest'
import { buildBlock } from './contract/build.ts'
import { serve } from './http-node.ts'
import { fail, type Methods, type RpcNode, serveMethods } from './rpc-node.ts'

const AUTH = { user: 'u', password: new Secret('p') }
const H = (digit: string) => digit.repeat(64) as BlockHash & Txid
let stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops) await stop()
  stops = []
})

async function sourceOf(
  methods: Methods,
  options: Partial<BitcoindOptions> = {},
): Promise<{ source: BitcoindSource; node: RpcNode }> {
  const node = await serveMethods(methods)
  const source = createBitcoindSource({
    url: node.url,
    auth: AUTH,
    retry: { attempts: 1 },
    ...options,
  })
  stops.push(async () => {
    await source.close()
    await node.stop()
  })
  return { source, node }
}
const chainInfo = (more: object = {}) => ({
  chain: 'main',
  blocks: 900_000,
  headers: 900_000,
  bestblockhash: H('a'),
  mediantime: 1_700_000_000,
  time: 1_700_000_500,
  initialblockdownload: false,
  pruned: false,
  warnings: [],
  ...more,
})
const network = (more: object, genesis: string = GENESIS.main): Methods => ({
  getblockchaininfo: () => chainInfo(more),
  getblockhash: () => genesis,
})

describe('info', () => {
  it.each(NETWORKS)('knows %s by its first block', async (name) => {
    const { source } = await sourceOf(network({ chain: name }, GENESIS[name]))
    expect(await source.info()).toMatchObject({ network: name, genesis: GENESIS[name] })
  })
  it.each([
    ['mainnet', 'main'],
    ['testnet3', 'test'],
  ] as const)('knows btcd by its %s', async (spelled, name) => {
    const { source } = await sourceOf(network({ chain: spelled }, GENESIS[name]))
    expect((await source.info()).network).toBe(name)
  })
  it.each([
    ['another first block', 'main', GENESIS.test],
    ['a chain nobody knows', 'simnet', GENESIS.regtest],
    ['testnet3 that is testnet4', 'test', GENESIS.testnet4],
    ['a name that is a trick', '__proto__', GENESIS.main],
  ])('refuses %s', async (_, chain, genesis) => {
    const { source } = await sourceOf(network({ chain }, genesis))
    await expect(source.info()).rejects.toMatchObject({
      code: 'NODE_NETWORK_WRONG',
      remedy: 'human',
    })
  })
  it('says how far back a pruned node goes', async () => {
    const pruned = await sourceOf(network({ pruned: true, pruneheight: 880_000 }))
    expect((await pruned.source.info()).pruneHeight).toBe(880_000)
    const whole = await sourceOf(network({ pruneheight: 0 }))
    expect(await whole.source.info()).not.toHaveProperty('pruneHeight')
  })
  it('takes tip height and hash from one answer', async () => {
    const { source } = await sourceOf(network({}))
    expect((await source.info()).tip).toEqual({ height: 900_000, hash: H('a') })
  })
  it('finds out about the first download where the node does not say', async () => {
    const at = (seconds: number) => ({ clock: { now: () => seconds * 1000 } })
    const silent = { initialblockdownload: undefined }
    const fresh = await sourceOf(network(silent), at(1_700_000_600))
    expect((await fresh.source.info()).initialBlockDownload).toBe(false)
    const old = await sourceOf(network(silent), at(1_700_000_500 + 86_401))
    expect((await old.source.info()).initialBlockDownload).toBe(true)
    const behind = await sourceOf(network({ ...silent, headers: 900_001 }), at(1_700_000_600))
    expect((await behind.source.info()).initialBlockDownload).toBe(true)
  })
})

describe('block', () => {
  const built = buildBlock({ prev: H('1'), height: 5, time: 1_700_000_000 })
  const ref = { height: 5, hash: built.hash as BlockHash }
  const raw = (answer: string) =>
    serve(({ body }) => ({
      status: 200,
      responseText: answer.replace('ID', String((JSON.parse(body) as { id: number }).id)),
    }))
  const read = async (answer: string, jsonrpc: '1.0' | '2.0' = '1.0') => {
    const node = await raw(answer)
    const source = createBitcoindSource({ url: node.url, auth: AUTH, jsonrpc })
    stops.push(async () => {
      await source.close()
      await node.stop()
    })
    return source.block(ref)
  }

  it.each([
    ['as Core writes it', `{"result":"${built.hex}","error":null,"id":ID}\n`],
    ['as Core writes 2.0', `{"jsonrpc":"2.0","result":"${built.hex}","id":ID}\n`],
    ['as btcd writes it', `{"jsonrpc":"1.0","result":"${built.hex}","error":null,"id":ID}\n`],
    ['in another order', `{"id":ID,"error":null,"result":"${built.hex}"}`],
    ['with spaces', `{ "result" : "${built.hex}" , "error" : null , "id" : ID }`],
    ['in capitals', `{"result":"${built.hex.toUpperCase()}","error":null,"id":ID}`],
  ])('is read %s', async (_, answer) => expect(toHex(await read(answer))).toBe(built.hex))

  it.each([
    ['another block', `{"result":"${built.hex.replace(/^../, '01')}","error":null,"id":ID}`],
    ['half a byte more', `{"result":"${built.hex}0","error":null,"id":ID}`],
    ['no hex at the end', `{"result":"${built.hex}zz","error":null,"id":ID}`],
    ['no hex in the middle', `{"result":"${built.hex.slice(0, 200)}zz","error":null,"id":ID}`],
    ['the header only', `{"result":"${built.hex.slice(0, 160)}","error":null,"id":ID}`],
    ['nothing', '{"result":"","error":null,"id":ID}'],
    ['another id', `{"result":"${built.hex}","error":null,"id":4444}`],
    ['a second result', `{"result":"${built.hex}","error":null,"id":ID,"result":""}`],
    ['an error beside it', `{"result":"${built.hex}","error":{"code":-1,"message":""},"id":ID}`],
    ['something after it', `{"result":"${built.hex}","error":null,"id":ID}{}`],
  ])('with %s is refused', async (_, answer) => {
    await expect(read(answer)).rejects.toMatchObject({ code: 'NODE_ANSWER_INVALID' })
  })

  it('that was pruned is named by height and hash', async () => {
    const { source } = await sourceOf({
      getblock: () => fail(-1, 'Block not available (pruned data)'),
    })
    await expect(source.block(ref)).rejects.toMatchObject({
      code: 'NODE_BLOCK_PRUNED',
      remedy: 'human',
      details: { height: 5, hash: built.hash },
    })
  })
  it('that is missing with its header there was pruned by btcd', async () => {
    const { source } = await sourceOf({
      getblock: () => fail(-5, 'Block not found'),
      getblockheader: () => built.hex.slice(0, 160),
    })
    await expect(source.block(ref)).rejects.toMatchObject({ code: 'NODE_BLOCK_PRUNED' })
  })
  it('that is missing with its header was never there', async () => {
    const { source } = await sourceOf({
      getblock: () => fail(-5, 'Block not found'),
      getblockheader: () => fail(-5, 'Block not found'),
    })
    await expect(source.block(ref)).rejects.toMatchObject({
      code: 'NODE_BLOCK_UNKNOWN',
      remedy: 'retry',
    })
  })
  it.each(['Block not available (not fully downloaded)', 'Block not found on disk'])(
    'of which only the header came is waited for: %s',
    async (words) => {
      const { source } = await sourceOf({ getblock: () => fail(-1, words) })
      await expect(source.block(ref)).rejects.toMatchObject({ code: 'NODE_BLOCK_UNKNOWN' })
    },
  )
  it('that fails otherwise keeps the words of the node', async () => {
    const { source } = await sourceOf({ getblock: () => fail(-1, "Can't read block from disk") })
    await expect(source.block(ref)).rejects.toMatchObject({ code: 'NODE_CALL_REFUSED' })
  })
})

describe('mempool', () => {
  const methods = (state: { uptime: number; loaded?: boolean }): Methods => ({
    uptime: () => state.uptime,
    getmempoolinfo: () => ({
      size: 1,
      bytes: 1,
      ...(state.loaded === undefined ? {} : { loaded: state.loaded }),
    }),
    getrawmempool: () => [H('b')],
  })
  it('is not loaded while the node says so', async () => {
    const { source } = await sourceOf(methods({ uptime: 5, loaded: false }))
    expect(await source.mempool()).toMatchObject({ loaded: false, txids: [H('b')] })
  })
  it('gets another epoch when the node restarted', async () => {
    const state = { uptime: 1_000, loaded: true }
    const { source } = await sourceOf(methods(state), { clock: { now: () => 1_800_000_000_000 } })
    const first = await source.mempool()
    expect((await source.mempool()).epoch).toBe(first.epoch)
    state.uptime = 3
    expect((await source.mempool()).epoch).not.toBe(first.epoch)
  })
  it('comes in one request, so from one life of the node', async () => {
    const { source, node } = await sourceOf(methods({ uptime: 5 }))
    await source.mempool()
    const before = node.requests.length
    await source.mempool()
    expect(node.requests.length - before).toBe(1)
  })
  it('works without uptime', async () => {
    const { source } = await sourceOf({
      getmempoolinfo: () => ({ size: 0, bytes: 0 }),
      getrawmempool: () => [],
    })
    const [first, second] = [await source.mempool(), await source.mempool()]
    expect(first.epoch).toBe(second.epoch)
  })
  it('asks for raw transactions a hundred at a time', async () => {
    const { source, node } = await sourceOf({
      getrawtransaction: (txid: string) => (txid === H('c') ? fail(-5, 'No such') : 'ab'),
    })
    const txids = Array.from({ length: 250 }, (_, i) => (i % 2 ? H('c') : H('d')))
    const raws = await source.mempoolTransactions(txids)
    expect(raws.map((raw) => raw?.length)).toEqual(
      txids.map((id) => (id === H('c') ? undefined : 1)),
    )
    expect(node.requests).toHaveLength(3)
  })
})

describe('capabilities', () => {
  it('are asked once, and again after the node was away', async () => {
    const { source, node } = await sourceOf({
      getblockcount: () => 1,
      getblockchaininfo: chainInfo,
    })
    await Promise.all([source.capabilities(), source.capabilities()])
    await source.capabilities()
    const probes = (on: RpcNode) => on.called.filter((method) => method === 'uptime').length
    expect(probes(node)).toBe(1)
    await node.stop()
    await expect(source.client.getBlockCount()).rejects.toThrow()
    const again = await serveMethods({ getblockcount: () => 1 }, Number(new URL(node.url).port))
    await source.client.getBlockCount()
    await source.capabilities()
    expect(probes(again)).toBe(1)
    await again.stop()
  })
  it('tell a missing method from a failing one', async () => {
    const { source } = await sourceOf({
      getblockchaininfo: () => chainInfo(),
      getnetworkinfo: () => ({ subversion: '/Satoshi:28.1.0/' }),
      getmempoolentry: () => fail(-1, 'Command unimplemented'),
      getblockfilter: () => fail(-1, 'Index is not enabled for filtertype basic'),
      listwallets: () => fail(-1, 'This implementation does not implement wallet commands'),
      submitpackage: () => fail(-8, 'Array must contain between 1 and 25 transactions.'),
      getmempoolinfo: () => ({ loaded: true }),
    })
    expect(await source.capabilities()).toMatchObject({
      subversion: '/Satoshi:28.1.0/',
      saysInitialBlockDownload: true,
      saysMempoolLoaded: true,
      showsCoinsSpentInMempool: false,
      methods: {
        getnetworkinfo: true,
        getmempoolentry: false,
        getblockfilter: true,
        listwallets: false,
        submitpackage: true,
        scantxoutset: false,
      },
    })
  })
})

const FOLDER = join(process.env['KACCY_SHARED'] ?? '../shared', 'fixtures/core-rpc')
const reason = existsSync(FOLDER) ? undefined : `no recordings of Bitcoin Core in ${FOLDER}`
if (reason) process.stderr.write(`SKIPPED: ${reason}\n`)

it.skipIf(reason)('recorded answers of Core serve the port as well', async () => {
  const result = (name: string) =>
    (
      JSON.parse(
        (JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as { responseText: string })
          .responseText,
      ) as { result: unknown }
    ).result
  const { source } = await sourceOf({
    getblockchaininfo: () => result('getblockchaininfo-before-reorg'),
    getblockhash: () => GENESIS.regtest,
    getblockheader: () => result('getblockheader-stale'),
    getblock: () => result('getblock-0'),
  })
  const { tip } = await source.info()
  expect(await source.header(tip.hash)).toMatchObject({ height: 111, onBestChain: false })
  expect(await source.block(tip)).toHaveLength(783)
})
