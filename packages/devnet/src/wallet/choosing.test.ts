import { expect, it } from 'vitest'
import { createDevnetInProcess, type Devnet, type Json } from '../index.ts'

type View = Readonly<Record<string, Json>>
const COIN = 100_000_000n
interface Coin {
  readonly txid: string
  readonly vout: number
}
/** A devnet with a wallet that has these coins, each in a block. */
function start(...values: readonly bigint[]) {
  const devnet = createDevnetInProcess({ clock: () => 1_795_370_832_000 })
  const call = <T = View>(method: string, ...params: readonly unknown[]): T =>
    devnet.call(method, params) as T
  call('createwallet', 'w')
  const address = (type = 'bech32') => call<string>('getnewaddress', '', type)
  const coins = values.map((value): Coin => ({ txid: devnet.pay(address(), value).txid, vout: 0 }))
  devnet.mine()
  const send = (amount: string, options: object = {}, to = devnet.strangerAddress): View =>
    call('send', [{ [to]: amount }], null, null, 1, options)
  /** Moves coins whole to another own address. */
  const move = (...inputs: readonly Coin[]): Coin => {
    const { txid } = call('sendall', [address()], null, null, 1, { inputs })
    return { txid: String(txid), vout: 0 }
  }
  return { devnet, call, address, coins, send, move }
}
const chain = (from: Coin, length: number, move: (coin: Coin) => Coin): Coin =>
  Array.from({ length }).reduce<Coin>((coin) => move(coin), from)
const values = (devnet: Devnet, txid: unknown): readonly bigint[] => {
  const raw = devnet.rawTransaction(String(txid))
  const { vout } = devnet.call('decoderawtransaction', [raw]) as unknown as { vout: View[] }
  return vout.map(({ value }) => value as bigint)
}
const TOO_LONG = 'a chain of transactions that will be rejected'

it.each([
  [11, false],
  [12, true],
])('counts the ancestors of both parents: 12 + %i, refused: %s', (length, refused) => {
  const { devnet, coins, send, move } = start(COIN, COIN)
  const [first, second] = coins as [Coin, Coin]
  move(chain(first, 12, move), chain(second, length, move))
  // No ancestor has more than 14 descendants.
  if (refused) {
    expect(() => send('0.1')).toThrow(TOO_LONG)
    // Not even the coins at the end of the chain would do.
    expect(() => send('5')).toThrow('Insufficient funds')
    return
  }
  const { txid } = send('0.1')
  expect(devnet.view.mempool()).toContain(txid)
})

it.each([
  [23, false],
  [24, true],
])('counts the descendants of a parent: %i children, refused: %s', (children, refused) => {
  const { devnet, call, address, send, move } = start(COIN)
  const amounts = Object.fromEntries(
    Array.from({ length: children }, () => [address(), '0.001'] as const),
  )
  const txid = call<string>('sendmany', '', amounts)
  const outputs = values(devnet, txid)
  outputs.forEach((value, vout) => {
    if (value === 100_000n) move({ txid, vout })
  })
  // Nothing has more than three ancestors.
  if (refused) {
    expect(() => send('0.5')).toThrow(TOO_LONG)
    return
  }
  const last = send('0.5')['txid']
  expect(devnet.view.mempool()).toContain(last)
})

it('adds no unconfirmed coin to a replacement', () => {
  const { devnet, call, coins, send, address } = start(20_000n, COIN)
  const [small, large] = coins as [Coin, Coin]
  const { txid } = send('0.00015', { inputs: [small] })
  const own = send('0.5', { inputs: [large] }, address())
  const bump = () => call('bumpfee', txid, { fee_rate: 100 })
  expect(bump).toThrow('Unable to create transaction. Insufficient funds')
  devnet.mineBlock({ txids: [String(own['txid'])] })
  const bumped = bump()['txid']
  expect(devnet.view.mempool()).toContain(bumped)
})

it.each([
  ['bech32', 980n, 141n],
  ['bech32m', 1100n, 153n],
  ['p2sh-segwit', 1800n, 142n],
  ['legacy', 1820n, 144n],
])('keeps change of %s from %d satoshi, and gives less to the miner', (type, least, size) => {
  const { devnet, coins, send } = start(100_000n, 100_000n)
  const [first, second] = coins as [Coin, Coin]
  const amount = 100_000n - size - least
  const pay = (satoshi: bigint, coin: Coin) =>
    send(`0.000${satoshi}`, { inputs: [coin], change_type: type, change_position: 1 })
  expect(values(devnet, pay(amount, first)['txid'])).toEqual([amount, least])
  expect(values(devnet, pay(amount + 1n, second)['txid'])).toEqual([amount + 1n])
})

it('measures a taproot coin with room for a hash type', () => {
  const { devnet, call, address } = start()
  devnet.faucet(address('bech32m'), 100_000n)
  const spent = call('sendall', [devnet.strangerAddress], null, null, 10)
  expect(call('gettransaction', spent['txid'])['fee']).toBe(-1000n)
})

const outputsOf = (devnet: Devnet, txid: unknown): readonly View[] => {
  const raw = devnet.rawTransaction(String(txid))
  const { vout } = devnet.call('decoderawtransaction', [raw]) as unknown as { vout: View[] }
  return vout
}
it.each([
  ['legacy', 'pubkeyhash'],
  ['p2sh-segwit', 'scripthash'],
  ['bech32', 'witness_v0_keyhash'],
  ['bech32m', 'witness_v1_taproot'],
])('hides the change of a payment to %s', (type, kind) => {
  const { devnet, send, address } = start(COIN)
  const { txid } = send('0.1', {}, address(type))
  const kinds = outputsOf(devnet, txid).map(({ scriptPubKey }) => (scriptPubKey as View)['type'])
  expect(kinds).toEqual([kind, kind])
})

it('draws a second change address when the first was not needed', () => {
  const { call, coins, send } = start(100_000n, COIN)
  const next = () => {
    const path = call('getaddressinfo', call('getrawchangeaddress', 'bech32'))['hdkeypath']
    return Number(String(path).split('/').pop())
  }
  expect(next()).toBe(0)
  send('0.1', { inputs: [coins[1]] })
  expect(next()).toBe(2)
  send('0.00099', { inputs: [coins[0]] })
  expect(next()).toBe(5)
})

it('locks a payment to the tip unless that is eight hours old', () => {
  let now = 1_795_370_832_000
  const devnet = createDevnetInProcess({ clock: () => now })
  const call = <T = View>(method: string, ...params: readonly unknown[]): T =>
    devnet.call(method, params) as T
  call('createwallet', 'w')
  devnet.faucet(call<string>('getnewaddress'), COIN)
  const locktime = () => {
    const txid = call<string>('sendtoaddress', devnet.strangerAddress, '0.01')
    return call('decoderawtransaction', devnet.rawTransaction(txid))['locktime']
  }
  const seen = Number(call('getblockheader', devnet.tip.hash)['time'])
  now = (seen + 8 * 3600) * 1000
  expect(locktime()).toBe(devnet.tip.height)
  now += 1000
  expect(locktime()).toBe(0)
})

it('refuses a replacement beyond its limits', () => {
  const { devnet, call, coins, send } = start(COIN, COIN)
  const [first, second] = coins as [Coin, Coin]
  const { txid } = send('0.1', { inputs: [first], change_position: 1 })
  expect(() => call('bumpfee', txid, { original_change_index: 2 })).toThrow(
    'Change position is out of range',
  )
  expect(() => call('bumpfee', txid, { fee_rate: 90_000 })).toThrow(
    /^Specified or calculated fee 0\.1\d+ is too high \(cannot be higher than -maxtxfee 0\.10\)$/,
  )
  call('settxfee', '0.0005')
  const { fee } = call('psbtbumpfee', txid)
  expect(Number(fee)).toBeGreaterThanOrEqual(50 * 140)
  const child = devnet.spend({
    from: { txid: String(txid), vout: 0 },
    outs: [{ address: devnet.strangerAddress, amount: 1000n }],
  })
  devnet.send(child.raw)
  expect(() => call('bumpfee', txid)).toThrow('Transaction has descendants in the mempool')
  // One of its inputs is another's.
  const foreign = 'wpkh(cMahea7zqjxrtgAbB7LSGbcQUr1uX1ojuat9jZodMN87JcbXMTcA)'
  const sum = call('getdescriptorinfo', foreign)['checksum']
  const [other = ''] = call<readonly string[]>('deriveaddresses', `${foreign}#${sum}`)
  const theirs = { txid: devnet.faucet(other, 50_000n).txid, vout: 0 }
  const psbt = call<string>('createpsbt', [second, theirs], [{ [devnet.strangerAddress]: 1 }])
  const half = call('walletprocesspsbt', psbt)['psbt']
  const { hex } = call('descriptorprocesspsbt', half, [foreign])
  const both = call<string>('sendrawtransaction', hex)
  expect(() => call('bumpfee', both)).toThrow(
    "Transaction contains inputs that don't belong to this wallet",
  )
})

it('leaves a coin that costs more than it holds', () => {
  const { devnet, call } = start(5000n, COIN)
  // Five satoshi for each vbyte are left over: too much to be exact, too little for change.
  const to = [{ [devnet.strangerAddress]: '0.99988500' }]
  const { txid } = call('send', to, null, null, 100)
  const raw = devnet.rawTransaction(String(txid))
  expect(call('decoderawtransaction', raw)).toMatchObject({
    vin: [{ vout: 0 }],
    vout: [{ value: 99_988_500n }],
  })
})

it('pays what a full mempool asks', () => {
  const { devnet, call } = start(COIN)
  devnet.feeSpike(30)
  const { fee } = call('gettransaction', call('sendtoaddress', devnet.strangerAddress, '0.1'))
  expect(Number(fee)).toBeLessThanOrEqual(-30 * 140)
})

it('gives everything, the odd satoshi to the first that takes what is left', () => {
  const { devnet, call, address } = start(100_000n)
  const receivers = [{ [address()]: '0.0001' }, address(), address()]
  const { txid } = call('sendall', receivers, null, null, 1.005)
  const [fixed, first, second] = values(devnet, txid)
  expect(fixed).toBe(10_000n)
  expect(Number(first) - Number(second)).toBe(1)
})

it.each([
  [99_889n, 1],
  [99_888n, 2],
])('takes one coin more unless what is left over is a vbyte: %d with %i', (amount, inputs) => {
  const { devnet, call, send } = start(100_000n, 50_000n)
  const { txid } = send(`0.000${amount}`)
  const { vin } = call('decoderawtransaction', devnet.rawTransaction(String(txid)))
  expect(vin).toHaveLength(inputs)
})
