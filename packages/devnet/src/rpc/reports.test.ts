import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, test } from 'vitest'
import { addressOf, createDevnetInProcess, type Devnet, namedKey } from '../index.ts'
import { writeJson } from './json.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const read = <T>(path: string): T => JSON.parse(readFileSync(join(shared, path), 'utf8')) as T
const clock = () => 1_700_000_000_000
const { script } = namedKey('shop')
const shop = addressOf(script) ?? ''
let devnet: Devnet
beforeEach(() => {
  devnet = createDevnetInProcess({ clock, verifySignatures: false })
})

describe('numbers', () => {
  it.each([
    [4.656542373906925e-10, '4.656542373906925e-10'],
    [4.411626860236661e-7, '4.411626860236661e-07'],
    [0.00005, '5e-05'],
    [0.0001, '0.0001'],
    [12.5, '12.5'],
    [1, '1'],
    [-28398, '-28398'],
    [123456789.125, '123456789.125'],
  ])('%s is written as C++ writes it', (value, text) => expect(writeJson(value)).toBe(text))
  it.each([
    [0n, '0.00000000'],
    [1n, '0.00000001'],
    [-1n, '-0.00000001'],
    [2_100_000_000_000_000n, '21000000.00000000'],
    [-150_000_000n, '-1.50000000'],
  ])('%s satoshi have eight decimals', (value, text) => expect(writeJson(value)).toBe(text))
})

describe('reports', () => {
  it("gives Core's own block statistics for Core's own blocks", () => {
    const { blocks, stats } = read<{
      blocks: readonly string[]
      stats: readonly { readonly height: number }[]
    }>('vectors/chain/core_rpc_getblockstats.json')
    const chain = createDevnetInProcess({ clock, start: 'genesis' })
    for (const block of blocks.slice(1)) expect(chain.call('submitblock', [block])).toBeNull()
    expect(chain.call('submitblock', [blocks[5] ?? ''])).toBe('duplicate')
    for (const expected of stats) {
      expect(chain.call('getblockstats', [expected.height])).toEqual(expected)
    }
    expect(stats).toHaveLength(3)
    expect(chain.call('getblockstats', [101, ['height', 'txs']])).toEqual({ height: 101, txs: 1 })
  })

  const scripts = read<readonly (readonly [string, object])[]>(
    'vectors/core-consensus/rpc_decodescript.json',
  )
  test.each(scripts)('decodes the script %s as Core does', (hexText, expected) => {
    expect(devnet.call('decodescript', [hexText])).toEqual(expected)
  })

  it('finds the coins of a ranged descriptor', () => {
    const desc =
      'wpkh(tpubDCDVDYDZwVcEc2BoEMh9ZFUfgx4mxR4oM6oY5BWn2EctfLbzovf6LdyGSQdpFZbRbmVyM9FCTXnBWqF9NvJy19ry8nwES3EoTAyRgy7Uo8U/0/*)'
    const { descriptor } = devnet.call('getdescriptorinfo', [desc]) as { descriptor: string }
    const addresses = devnet.call('deriveaddresses', [descriptor, [0, 3]]) as readonly string[]
    expect(addresses[0]).toBe('bcrt1q474h5sah9zksl9rf6yq88jvadw8pcwzl4ma4rg')
    const paid = addresses.map((address, i) => devnet.pay(address, 1000n * BigInt(i + 1)).txid)
    expect(scan(desc, 3)).toMatchObject({ unspents: [], total_amount: 0n })
    devnet.mine()
    const found = scan(desc, 2)
    expect(found.total_amount).toBe(6000n)
    expect(new Set(found.unspents.map(({ txid }) => txid))).toEqual(new Set(paid.slice(0, 3)))
  })
  const scan = (desc: string, range: number) =>
    devnet.call('scantxoutset', ['start', [{ desc, range }]]) as unknown as {
      readonly unspents: readonly { readonly txid: string }[]
      readonly total_amount: bigint
    }

  it('sums the set of coins up, the same after going back and forth', () => {
    const before = devnet.call('gettxoutsetinfo') as Record<string, unknown>
    devnet.pay(shop, 5000n)
    devnet.mine(2)
    const after = devnet.call('gettxoutsetinfo') as Record<string, unknown>
    expect(after['hash_serialized_3']).not.toBe(before['hash_serialized_3'])
    // Two coinbases, change and payment instead of one coin; the fee went into a coinbase.
    expect(after['txouts']).toBe(Number(before['txouts']) + 3)
    expect(after['total_amount']).toBe(BigInt(String(before['total_amount'])) + 10_000_000_000n)
    devnet.call('invalidateblock', [devnet.view.hashAt(111) ?? ''])
    expect(devnet.call('gettxoutsetinfo')).toEqual(before)
    devnet.call('reconsiderblock', [devnet.call('getchaintips') && (tips()[0]?.hash ?? '')])
    expect(devnet.call('gettxoutsetinfo')).toEqual(after)
  })
  const tips = () => devnet.call('getchaintips') as readonly { hash: string; status: string }[]

  it('names the spender of a coin', () => {
    const { txid, vout } = devnet.strangerCoin('x')
    const asked = [[{ txid, vout }]]
    expect(devnet.call('gettxspendingprevout', asked)).toEqual([{ txid, vout }])
    const spend = devnet.spend({ from: 'x', outs: [{ address: shop, amount: 5000 }] })
    devnet.send(spend.raw)
    expect(devnet.call('gettxspendingprevout', asked)).toEqual([
      { txid, vout, spendingtxid: spend.txid },
    ])
  })

  it('keeps a transaction of a left block findable, without confirmations', () => {
    const { txid } = devnet.pay(shop, 5000n)
    devnet.mine()
    const stale = devnet.tip.hash
    devnet.reorg(1, { drop: [txid] })
    expect(devnet.call('getrawtransaction', [txid, 1])).toMatchObject({
      blockhash: stale,
      confirmations: 0,
    })
    expect(devnet.call('getrawtransaction', [txid, 1, stale])).toMatchObject({
      in_active_chain: false,
    })
  })
})

describe('packages', () => {
  const pair = (feeParent: bigint, feeChild: bigint) => {
    const parent = devnet.spend({ from: 'p', outs: [{ script, amount: 5000n }], fee: feeParent })
    const child = devnet.spend({
      from: `${parent.txid}:1`,
      outs: [{ script, amount: 6000n }],
      fee: feeChild,
    })
    return { parent, child }
  }
  it('let a child pay for its parent above the relay fee', () => {
    devnet.feeSpike(20)
    const { parent, child } = pair(300n, 50_000n)
    expect(devnet.trySend(parent.raw)).toMatch(/^mempool min fee not met/)
    const answer = devnet.call('submitpackage', [[parent.raw, child.raw]])
    expect(answer).toMatchObject({ package_msg: 'success', 'replaced-transactions': [] })
    expect(devnet.view.mempool()).toEqual([parent.txid, child.txid])
  })
  it('stay out when the package is too poor', () => {
    devnet.feeSpike(200)
    const { parent, child } = pair(300n, 400n)
    const answer = devnet.call('submitpackage', [[parent.raw, child.raw]])
    expect(answer).toMatchObject({ package_msg: 'transaction failed' })
    expect(devnet.view.mempool()).toEqual([])
  })
  it('are a child with its parents', () => {
    const { parent, child } = pair(300n, 400n)
    expect(() => devnet.call('submitpackage', [[child.raw, parent.raw]])).toThrow(
      /^package topology disallowed/,
    )
  })
})
