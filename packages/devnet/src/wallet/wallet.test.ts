import { describe, expect, it } from 'vitest'
import { createDevnetInProcess, type Devnet, type Json, RpcError } from '../index.ts'

type View = Readonly<Record<string, Json>>
const COIN = 100_000_000n
/** Calls of one wallet of a devnet without HTTP. */
function walletOf(devnet: Devnet, name: string) {
  const wallet = () => devnet.wallets.loaded.get(name)
  return <T = Json>(method: string, ...params: readonly unknown[]): T => {
    // Without a path a call means the only wallet: the others stand aside.
    const aside = [...devnet.wallets.loaded].filter(([other]) => other !== name)
    for (const [other] of aside) devnet.wallets.loaded.delete(other)
    try {
      expect(wallet()).toBeDefined()
      return devnet.call(method, params) as T
    } finally {
      for (const [other, own] of aside) devnet.wallets.loaded.set(other, own)
    }
  }
}
function scene(watch = false) {
  const devnet = createDevnetInProcess({ clock: () => 1_795_370_832_000 })
  devnet.call('createwallet', ['w', watch])
  return { devnet, w: walletOf(devnet, 'w') }
}
const fault = (make: () => unknown) => {
  try {
    make()
    return undefined
  } catch (error) {
    if (error instanceof RpcError) return [error.code, error.message]
    throw error
  }
}
const categories = (views: readonly View[]) =>
  views.map(({ category, confirmations }) => `${category} ${confirmations}`)

describe('a wallet', () => {
  it('hears of a deposit, of its confirmations, and of a reorganisation that takes it away', () => {
    const { devnet, w } = scene()
    const address = w<string>('getnewaddress', 'shop')
    const { txid } = devnet.pay(address, COIN)
    expect(w('getbalances')).toMatchObject({ mine: { trusted: 0n, untrusted_pending: COIN } })
    devnet.mine(2)
    expect(w('getbalance')).toBe(COIN)
    const before = devnet.view.hashAt(devnet.tip.height - 2)
    const since = w<View>('listsinceblock', before)
    expect(categories(since['transactions'] as unknown as View[])).toEqual(['receive 2'])
    const block = devnet.view.hashAt(devnet.tip.height - 1)
    devnet.reorg(2, { drop: [txid] })
    const gone = w<View>('listsinceblock', block)
    expect(categories(gone['removed'] as unknown as View[])).toEqual(['receive 0'])
    expect(w('getbalance')).toBe(0n)
    expect(w<View>('gettransaction', txid)).toMatchObject({ confirmations: 0, trusted: false })
    devnet.mineBlock({ txids: [txid] })
    expect(w('getbalance')).toBe(COIN)
  })

  it('sees a deposit lose against a double spend, and win after a reorganisation', () => {
    const { devnet, w } = scene()
    const address = w<string>('getnewaddress')
    const coin = devnet.strangerCoin('x')
    const deposit = devnet.spend({ from: 'x', outs: [{ address, amount: COIN / 20n }] })
    devnet.send(deposit.raw)
    const theft = devnet.spend({
      from: coin,
      outs: [{ address: devnet.strangerAddress, amount: 1000n }],
    })
    devnet.mineBlock({ transactions: [theft.raw] })
    devnet.mine()
    expect(w<View>('gettransaction', deposit.txid)).toMatchObject({ confirmations: -2 })
    expect(w('getbalances')).toMatchObject({ mine: { trusted: 0n, untrusted_pending: 0n } })
    devnet.reorg(2, { blocks: [[deposit.raw], [], []], drop: 'all' })
    expect(w<View>('gettransaction', deposit.txid)).toMatchObject({ confirmations: 3 })
    expect(w('getbalance')).toBe(COIN / 20n)
  })

  it('bumps its fee, and knows both transactions', () => {
    const { devnet, w } = scene()
    devnet.faucet(w<string>('getnewaddress'), COIN)
    const to = devnet.strangerAddress
    const txid = w<string>(
      'sendtoaddress',
      to,
      0.3,
      'why',
      'who',
      false,
      true,
      null,
      'unset',
      null,
      3,
    )
    const bump = w<View>('bumpfee', txid)
    expect(bump['fee']).toBeGreaterThan(Number(bump['origfee']))
    const view = w<View>('gettransaction', txid)
    expect(view).toMatchObject({
      replaced_by_txid: bump['txid'],
      walletconflicts: [bump['txid']],
      mempoolconflicts: [bump['txid']],
      comment: 'why',
      to: 'who',
    })
    expect(fault(() => w('bumpfee', txid))).toEqual([
      -4,
      `Cannot bump transaction ${txid} which was already bumped by transaction ${bump['txid']}`,
    ])
    devnet.mine()
    expect(w<View>('gettransaction', txid)).toMatchObject({ confirmations: -1 })
    const [code, message] = fault(() => w('bumpfee', bump['txid'])) ?? []
    expect(code).toBe(-1)
    expect(message).toMatch(/^[0-9a-f]{64}:\d+ is already spent$/)
  })

  it('gets the coins of an evicted transaction back when it abandons it', () => {
    const { devnet, w } = scene()
    devnet.faucet(w<string>('getnewaddress'), COIN)
    const txid = w<string>('sendtoaddress', devnet.strangerAddress, 0.4)
    expect(fault(() => w('abandontransaction', txid))).toEqual([
      -5,
      'Transaction not eligible for abandonment',
    ])
    devnet.evict(txid)
    expect(w('listunspent', 0)).toEqual([])
    expect(w('abandontransaction', txid)).toBeNull()
    expect(w('getbalance')).toBe(COIN)
    expect(w<readonly View[]>('listtransactions')[1]).toMatchObject({ abandoned: true })
  })

  it('refuses what it cannot pay, in the words and numbers of Core', () => {
    const { devnet, w } = scene()
    const to = devnet.strangerAddress
    expect(fault(() => w('sendtoaddress', to, 1))).toEqual([-6, 'Insufficient funds'])
    devnet.faucet(w<string>('getnewaddress'), COIN)
    const cases: readonly (readonly [readonly unknown[], number, string])[] = [
      [[to, 1], -6, 'Insufficient funds'],
      [[to, 0.000001], -6, 'Transaction amount too small'],
      [['nonsense', 1], -5, 'Invalid Bitcoin address: nonsense'],
      [[to, -1], -3, 'Amount out of range'],
      [[to, 'x'], -3, 'Invalid amount'],
      [[to, 0.1, '', '', false, true, 6, 'unset', null, 5], -8, 'Cannot specify both conf_target'],
      [[to, 0.1, '', '', false, true, null, 'fast'], -8, 'Invalid estimate_mode parameter'],
      [[to, 0.1, '', '', false, true, null, null, true], -4, 'wallet does not have the "avoid'],
      [
        [to, 0.1, '', '', false, true, null, null, null, 0.5],
        -6,
        'Fee rate (0.500 sat/vB) is lower than the minimum fee rate setting (1.000 sat/vB)',
      ],
      [[to, 0.1, '', '', false, true, null, null, null, 90_000], -6, 'Fee exceeds maximum'],
    ]
    for (const [params, code, message] of cases) {
      const error = fault(() => w('sendtoaddress', ...params))
      expect(error?.[0]).toBe(code)
      expect(error?.[1]).toContain(message)
    }
    expect(fault(() => w('walletlock'))).toEqual([
      -15,
      'Error: running with an unencrypted wallet, but walletlock was called.',
    ])
    expect(w('getbalance')).toBe(COIN)
  })

  it('makes the same addresses and transactions again from the same seed', () => {
    const run = () => {
      const { devnet, w } = scene()
      devnet.faucet(w<string>('getnewaddress'), COIN)
      return [w('getnewaddress', '', 'bech32m'), w('sendtoaddress', devnet.strangerAddress, 0.2)]
    }
    expect(run()).toEqual(run())
  })

  it('comes back from a snapshot, from a text, and from being unloaded', () => {
    const { devnet, w } = scene()
    const address = w<string>('getnewaddress', 'kept')
    devnet.faucet(address, COIN)
    const saved = devnet.snapshot()
    const text = devnet.wallets.toJson()
    const txid = w<string>('sendtoaddress', devnet.strangerAddress, 0.5)
    devnet.mine()
    expect(w<bigint>('getbalance')).toBeLessThan(COIN / 2n)
    devnet.restore(saved)
    expect(w('getbalance')).toBe(COIN)
    expect(fault(() => w('gettransaction', txid))).toEqual([
      -5,
      'Invalid or non-wallet transaction id',
    ])
    expect(w('listlabels')).toEqual(['kept'])
    devnet.wallets.fromJson(text)
    expect(devnet.wallets.toJson()).toBe(text)
    devnet.call('unloadwallet', ['w'])
    devnet.pay(address, COIN)
    devnet.mine()
    expect(devnet.call('listwallets')).toEqual([])
    devnet.call('loadwallet', ['w'])
    expect(w('getbalance')).toBe(2n * COIN)
  })
})

describe('a watch-only wallet', () => {
  it('imports a public key, funds a PSBT, and another wallet signs it', () => {
    const { devnet, w } = scene()
    devnet.call('createwallet', ['watch', true])
    const watch = walletOf(devnet, 'watch')
    const list = w<View>('listdescriptors')['descriptors'] as unknown as readonly View[]
    const wanted = list.filter(({ desc }) => String(desc).startsWith('wpkh('))
    devnet.faucet(w<string>('getnewaddress'), COIN)
    const requests = wanted.map(({ desc, internal }) => ({
      desc,
      internal,
      active: true,
      timestamp: 0,
      range: [0, 9],
    }))
    expect(watch('importdescriptors', requests)).toEqual([{ success: true }, { success: true }])
    expect(watch('getbalance')).toBe(COIN)
    expect(fault(() => watch('sendtoaddress', devnet.strangerAddress, 0.1))).toEqual([
      -4,
      'Error: Private keys are disabled for this wallet',
    ])
    const outputs = [{ [devnet.strangerAddress]: 0.25 }]
    const options = { fee_rate: 4, lockUnspents: true }
    const funded = watch<View>('walletcreatefundedpsbt', [], outputs, 0, options)
    expect(watch('listlockunspent')).toHaveLength(1)
    const own = watch<View>('walletprocesspsbt', funded['psbt'])
    expect(own['complete']).toBe(false)
    const signed = w<View>('walletprocesspsbt', own['psbt'])
    expect(signed['complete']).toBe(true)
    const { hex } = devnet.call('finalizepsbt', [signed['psbt']]) as { readonly hex: string }
    expect(hex).toBe(signed['hex'])
    const txid = devnet.call('sendrawtransaction', [hex])
    expect(watch<View>('gettransaction', txid)['fee']).toBe(-(funded['fee'] as bigint))
    devnet.mine()
    expect(watch('getbalance')).toBe(w('getbalance'))
  })

  it('spends every kind of script that a wallet can sign', () => {
    const { devnet } = scene()
    const own =
      'tpubD6NzVbkrYhZ4WcVS4H3kcnSZYJfNbofW2oF3AWFXSK86vwRwiB2EqfF9vUyxVC9ZxDkVGZo9xvSLYxfVsBWdcQHKbN9xbE7iPp9eRgbgpfj'
    const [a, b] = [
      'tprv8ZgxMBicQKsPd9TeAdPADNnSyH9SSUUbTVeFszDE23Ki6TBB5nCefAdHkK8Fm3qMQR6sHwA56zqRmKmxnHk37JkiFzvncDqoKmPWubu7hDF',
      'tpubD6NzVbkrYhZ4WPJEAzN2f4Qn4MKU9vGZfnv4FcDyuw5aRViY68Y9HtbCNfTavcxWVGsdT5fZ1V1E45nVht2czEfqsjz8E74FmCzpd2uY8sA',
    ]
    devnet.call('createwallet', ['m', false, true])
    const m = walletOf(devnet, 'm')
    const forms = [
      `pkh(${a}/0/*)`,
      `sh(wpkh(${a}/1/*))`,
      `wpkh(${a}/2/*)`,
      `tr(${a}/3/*)`,
      `wsh(multi(1,${a}/4/*,${b}/4/*))`,
      `sh(wsh(sortedmulti(2,${a}/5/*,${a}/6/*)))`,
      `sh(multi(2,${a}/7/*,${a}/8/*,${b}/7/*))`,
      `tr(${b}/9/*,pk(${a}/9/*))`,
      `tr(${b}/10/*,{pk(${b}/11/*),multi_a(2,${a}/12/*,${b}/12/*,${a}/13/*)})`,
      // A root that stands there privately is known where it stands publicly.
      `wsh(multi(2,${a}/14/*,${own}/15h/*))`,
    ]
    for (const form of forms) {
      const { checksum } = devnet.call('getdescriptorinfo', [form]) as { readonly checksum: string }
      const desc = `${form}#${checksum}`
      const [result] = m<readonly View[]>('importdescriptors', [
        { desc, timestamp: 'now', range: [0, 1] },
      ])
      expect(result).toMatchObject({ success: true })
      const [address] = devnet.call('deriveaddresses', [desc, [0, 0]]) as readonly string[]
      devnet.faucet(address ?? '', COIN)
      const [coin] = m<readonly View[]>('listunspent')
      expect({ form, solvable: coin?.['solvable'] }).toEqual({ form, solvable: true })
      const sent = m<View>('sendall', [devnet.strangerAddress], null, 'unset', 2)
      expect({ form, complete: sent['complete'] }).toEqual({ form, complete: true })
      expect(devnet.view.mempool()).toEqual([sent['txid']])
      devnet.mine()
      expect(m('listunspent')).toEqual([])
    }
  })
})
