import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { addressOf, createDevnetInProcess, type Devnet, namedKey } from '../index.ts'

const shared = process.env['KACCY_SHARED'] ?? join(process.cwd(), '../shared')
const clock = () => 1_700_000_000_000
const shop = addressOf(namedKey('shop').script) ?? ''
type Answer = Readonly<Record<string, unknown>>
let devnet: Devnet
const call = (method: string, ...params: readonly unknown[]) => devnet.call(method, params)
const ask = (method: string, ...params: readonly unknown[]) => call(method, ...params) as Answer
/** Code and message of a refusal. */
const refusal = (method: string, ...params: readonly unknown[]): string => {
  try {
    return `answered ${String(call(method, ...params))}`
  } catch (fault) {
    const { code, message } = fault as { readonly code: number; readonly message: string }
    return `${code} ${message}`
  }
}
const rawBlock = (hash: string): string =>
  Buffer.from(devnet.view.block(hash) ?? []).toString('hex')
beforeEach(() => {
  devnet = createDevnetInProcess({ clock, verifySignatures: false })
})

describe('what Core says of its own 104 blocks', () => {
  it('is what the devnet says', () => {
    const text = readFileSync(join(shared, 'vectors/chain/core_rpc_getblockstats.json'), 'utf8')
    const { blocks } = JSON.parse(text) as { readonly blocks: readonly string[] }
    devnet = createDevnetInProcess({ clock, start: 'genesis' })
    for (const block of blocks.slice(1)) expect(call('submitblock', block)).toBeNull()
    expect(ask('gettxoutsetinfo', 'muhash')['muhash']).toBe(
      '8b1f9bcfda151c8a8f646a43a78cb792cd34c567593b979236224bc7de6f0aca',
    )
    expect(ask('gettxoutsetinfo')['hash_serialized_3']).toBe(
      '7629466f04320895a7d1897a0a4a38bc984b81dd6acf1211bee3bc1ba4770eba',
    )
    expect(ask('gettxoutsetinfo', 'none')['muhash']).toBeUndefined()
    expect(ask('getblockfilter', devnet.tip.hash)).toEqual({
      filter: '067bb08c0d562e28f8e75f11e6ebb38740',
      header: '147d5a0f51e039d89992ca51b2a88ea8457bb5374df2d1af764b5e3f97967e7a',
    })
    expect(ask('getchaintxstats')).toEqual({
      time: 1525107243,
      txcount: 109,
      window_final_block_hash: devnet.tip.hash,
      window_final_block_height: 103,
      window_block_count: 102,
      window_interval: 18,
      window_tx_count: 107,
      txrate: 5.944444444444445,
    })
    expect(call('getnetworkhashps')).toBe(9.018528395850144e-7)
    expect(refusal('gettxoutsetinfo', 'x')).toBe("-8 'x' is not a valid hash_type")
  })
})

describe('proofs', () => {
  it('prove each transaction of a block, alone and together', () => {
    const txids = Array.from({ length: 6 }, (_, i) => devnet.pay(shop, 5000n + BigInt(i)).txid)
    const [hash = ''] = devnet.mine()
    const order = devnet.view.blockTxids(hash) ?? []
    for (const txid of order) {
      const proof = call('gettxoutproof', [txid])
      expect(call('verifytxoutproof', proof)).toEqual([txid])
    }
    const some = [txids[0] ?? '', txids[4] ?? '']
    const together = call('gettxoutproof', some, hash)
    expect(call('verifytxoutproof', together)).toEqual(order.filter((txid) => some.includes(txid)))
    expect(refusal('gettxoutproof', [])).toBe("-8 Parameter 'txids' cannot be empty")
    expect(refusal('gettxoutproof', [some[0], some[0]])).toContain('duplicated txid')
    expect(refusal('gettxoutproof', [devnet.pay(shop, 700n * 2n).txid])).toBe(
      '-5 Transaction not yet in block',
    )
    expect(refusal('gettxoutproof', some, devnet.view.hashAt(5))).toBe(
      '-5 Not all transactions found in specified or retrieved block',
    )
    // A block that left the chain proves nothing any more.
    devnet.reorg(1)
    expect(refusal('verifytxoutproof', together)).toBe('-5 Block not found in chain')
  })
  it('that were changed anywhere prove nothing', () => {
    const { txid } = devnet.pay(shop, 5000n)
    devnet.mine()
    const proof = String(call('gettxoutproof', [txid]))
    let taken = 0
    for (let at = 160; at < proof.length; at += 2) {
      const byte = (Number.parseInt(proof.slice(at, at + 2), 16) ^ 1).toString(16).padStart(2, '0')
      const changed = proof.slice(0, at) + byte + proof.slice(at + 2)
      const verdict = refusal('verifytxoutproof', changed)
      if (verdict.includes(txid)) taken += 1
    }
    expect(taken).toBe(0)
    expect(refusal('verifytxoutproof', proof.slice(0, -2))).toBe(
      '-1 DataStream::read(): end of data: iostream error',
    )
    expect(refusal('verifytxoutproof', 'zz')).toBe("-8 proof must be hexadecimal string (not 'zz')")
  })
})

describe('a miner', () => {
  it('builds a block from a template, in the order that it was given', () => {
    const payments = [1, 2, 3].map((n) => devnet.pay(shop, BigInt(n) * 5000n).txid)
    const template = ask('getblocktemplate', { rules: ['segwit'] })
    const list = template['transactions'] as readonly { txid: string; data: string; fee: number }[]
    expect(list.map(({ txid }) => txid).sort()).toEqual([...payments].sort())
    const fees = list.reduce((sum, { fee }) => sum + fee, 0)
    expect(template['coinbasevalue']).toBe(5_000_000_000 + fees)
    const { hash } = ask(
      'generateblock',
      shop,
      list.map(({ data }) => data),
    )
    expect(devnet.tip.hash).toBe(hash)
    const proposal = { mode: 'proposal', data: rawBlock(String(hash)) }
    expect(call('getblocktemplate', proposal)).toBe('duplicate')
  })
  it('may ask what would become of a block', () => {
    const made = ask('generateblock', shop, [], false)
    const data = String(made['hex'])
    expect(call('getblocktemplate', { mode: 'proposal', data })).toBeNull()
    // One bit of the merkle root: everything else still fits, the work does not count.
    const bent = `${data.slice(0, 72)}${data[72] === '0' ? '1' : '0'}${data.slice(73)}`
    expect(call('getblocktemplate', { mode: 'proposal', data: bent })).toBe('bad-txnmrklroot')
    expect(devnet.tip.height).toBe(110)
    expect(call('submitblock', data)).toBeNull()
    expect(devnet.tip.height).toBe(111)
    const again = ask('generateblock', shop, [], false)
    devnet.mine()
    expect(call('getblocktemplate', { mode: 'proposal', data: again['hex'] })).toBe(
      'inconclusive-not-best-prevblk',
    )
  })
  it('is refused in the words of Core', () => {
    expect(refusal('getblocktemplate', {})).toBe(
      '-8 getblocktemplate must be called with the segwit rule set (call with {"rules": ["segwit"]})',
    )
    expect(refusal('generate', 1)).toMatch(/^-1 generate/)
    expect(refusal('generateblock', 'x', [])).toBe('-5 Error: Invalid address or descriptor')
    const { txid, raw } = devnet.spend({ from: 'y', outs: [{ address: shop, amount: 5000 }] })
    expect(refusal('generateblock', shop, [txid])).toBe(`-5 Transaction ${txid} not in mempool.`)
    devnet.mineBlock({ transactions: [raw] })
    expect(refusal('generateblock', shop, [raw])).toBe(
      '-25 testBlockValidity failed: bad-txns-BIP30',
    )
    const hashes = call('generatetodescriptor', 2, `addr(${shop})`) as readonly string[]
    expect(devnet.tip.hash).toBe(hashes[1])
  })
  it('moves between equal branches by preciousblock', () => {
    const [first = ''] = devnet.mine()
    const { mined } = devnet.reorg(1, { blocks: [[]] })
    call('reconsiderblock', first)
    expect(devnet.tip.hash).toBe(first)
    call('preciousblock', mined[0])
    expect(devnet.tip.hash).toBe(mined[0])
    call('preciousblock', first)
    expect(devnet.tip.hash).toBe(first)
    const snapshot = devnet.snapshot()
    devnet.mine()
    call('preciousblock', mined[0])
    expect(devnet.tip.height).toBe(112)
    devnet.restore(snapshot)
    call('preciousblock', mined[0])
    expect(devnet.tip.hash).toBe(mined[0])
  })
})

describe('calls that wait', () => {
  it('answer when the chain moves, without asking again and again', async () => {
    const heard: unknown[] = []
    const next = devnet.rpc('waitfornewblock').then((tip) => heard.push(tip))
    const far = devnet.rpc('waitforblockheight', [113]).then((tip) => heard.push(tip))
    await new Promise((resolve) => setImmediate(resolve))
    expect(heard).toEqual([])
    const [first] = devnet.mine()
    await next
    expect(heard).toEqual([{ hash: first, height: 111 }])
    devnet.mine(5)
    await far
    expect(heard[1]).toEqual({ hash: devnet.view.hashAt(113) && devnet.tip.hash, height: 116 })
    const { hash } = devnet.tip
    expect(await devnet.rpc('waitforblock', [hash])).toEqual({ hash, height: 116 })
    expect(await devnet.rpc('waitforblock', ['0'.repeat(64), 5])).toEqual({ hash, height: 116 })
    await expect(devnet.rpc('waitforblock', ['x'])).rejects.toThrow('must be of length 64')
  })
  it('end with the node, and long polls say so', async () => {
    const waiting = devnet.rpc('waitfornewblock')
    const template = ask('getblocktemplate', { rules: ['segwit'] })
    const poll = { rules: ['segwit'], longpollid: template['longpollid'] }
    const miner = devnet.rpc('getblocktemplate', [poll]).catch((fault: Error) => fault.message)
    const { hash, height } = devnet.tip
    await devnet.down()
    expect(await waiting).toEqual({ hash, height })
    expect(await miner).toBe('Shutting down')
  })
  it('give a miner the next template when the tip changes', async () => {
    const template = ask('getblocktemplate', { rules: ['segwit'] })
    const poll = { rules: ['segwit'], longpollid: template['longpollid'] }
    const next = devnet.rpc('getblocktemplate', [poll]) as Promise<Answer>
    const [hash] = devnet.mine()
    expect((await next)['previousblockhash']).toBe(hash)
  })
  it('cannot be called at once', () => {
    expect(refusal('waitfornewblock')).toBe(
      '-1 waitfornewblock waits for the chain: use rpc() instead of call()',
    )
  })
})

describe('the node', () => {
  it('stops its clock and lets it run again', () => {
    call('setmocktime', 1_800_000_000)
    expect(ask('getblockheader', devnet.mine()[0])['time']).toBe(1_800_000_000)
    call('setmocktime', 0)
    expect(ask('getnettotals')['timemillis']).toBe(clock())
    expect(refusal('setmocktime', -1)).toBe(
      '-8 Mocktime must be in the range [0, 9223372036], not -1.',
    )
  })
  it('remembers what operators tell it', () => {
    call('logging', ['http', 'zmq'], ['zmq'])
    expect(ask('logging')).toMatchObject({ http: true, zmq: false })
    expect(refusal('logging', ['nosuch'])).toBe('-8 unknown logging category nosuch')
    call('addnode', '127.0.0.1:1', 'add')
    expect(refusal('addnode', '127.0.0.1:1', 'add')).toBe('-23 Error: Node already added')
    expect(call('getaddednodeinfo')).toEqual([
      { addednode: '127.0.0.1:1', connected: false, addresses: [] },
    ])
    call('addnode', '127.0.0.1:1', 'remove')
    expect(refusal('getaddednodeinfo', '127.0.0.1:1')).toBe('-24 Error: Node has not been added.')
    expect(refusal('disconnectnode', 'x')).toBe('-29 Node not found in connected nodes')
    expect(call('setnetworkactive', false)).toBe(false)
    expect(ask('getnetworkinfo')['networkactive']).toBe(false)
    expect(Object.keys(ask('getindexinfo'))).toEqual(['txindex', 'basic block filter index'])
  })
  it('explains every call', () => {
    const all = String(call('help'))
    expect(all).toContain('== Blockchain ==\n')
    expect(all).toContain('\ngetblock "blockhash" ( verbosity )\n')
    expect(all).not.toContain('waitfornewblock')
    const one = 'gettxoutproof ["txid",...] ( "blockhash" )'
    expect(String(call('help', 'gettxoutproof'))).toMatch(/^gettxoutproof \["txid",\.\.\.\] \(/)
    expect(all).toContain(one)
    expect(call('help', 'nosuch')).toBe('help: unknown command: nosuch')
    expect(refusal('gettxoutproof')).toMatch(/^-1 gettxoutproof \["txid",/)
  })
})

describe('addresses', () => {
  const fault = (address: string) => {
    const { error, error_locations } = ask('validateaddress', address)
    return [error, error_locations]
  }
  it('are located where they are wrong', () => {
    const wrong = `${shop.slice(0, 20)}${shop[20] === 'q' ? 'p' : 'q'}${shop.slice(21)}`
    expect(fault(wrong)).toEqual(['Invalid Bech32 checksum', [20]])
    const twice = `${wrong.slice(0, -1)}${wrong.endsWith('q') ? 'p' : 'q'}`
    expect(fault(twice)).toEqual(['Invalid Bech32 checksum', [20, shop.length - 1]])
    expect(fault(`${shop.slice(0, 20)}b${shop.slice(21)}`)).toEqual([
      'Invalid Base 32 character',
      [20],
    ])
    expect(fault(`B${shop.slice(1)}`)).toEqual([
      'Invalid character or mixed case',
      expect.anything(),
    ])
    expect(fault('bcrt1')).toEqual(['Invalid separator position', [4]])
    expect(fault('bcrtq')).toEqual(['Missing separator', []])
    expect(fault('1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2')).toEqual([
      'Invalid or unsupported Base58-encoded address.',
      [],
    ])
    expect(fault('')).toEqual(['Invalid checksum or length of Base58 address (P2PKH or P2SH)', []])
    expect(fault('!!')).toEqual(['Invalid or unsupported Segwit (Bech32) or Base58 encoding.', []])
  })
  it('of many signers are made of their keys', () => {
    const keys = ['a', 'b'].map((name) => Buffer.from(namedKey(name).publicKey).toString('hex'))
    for (const [type, form] of [
      ['legacy', /^sh\(multi\(2,/],
      ['p2sh-segwit', /^sh\(wsh\(multi\(2,/],
      ['bech32', /^wsh\(multi\(2,/],
    ] as const) {
      const { address, descriptor } = ask('createmultisig', 2, keys, type)
      expect(descriptor).toMatch(form)
      expect(call('deriveaddresses', descriptor)).toEqual([address])
    }
    expect(refusal('createmultisig', 3, keys)).toBe(
      '-8 not enough keys supplied (got 2 keys, but need at least 3 to redeem)',
    )
    expect(refusal('createmultisig', 1, ['02'])).toBe(
      '-5 Pubkey "02" must have a length of either 33 or 65 bytes',
    )
  })
})
