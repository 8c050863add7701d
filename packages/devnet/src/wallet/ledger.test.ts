import { expect, it } from 'vitest'
import { createDevnetInProcess, type Devnet, type Json } from '../index.ts'

type View = Readonly<Record<string, Json>>
const COIN = 100_000_000n
function start(coins: readonly bigint[] = []): Devnet {
  const devnet = createDevnetInProcess({ clock: () => 1_795_370_832_000 })
  devnet.call('createwallet', ['w'])
  for (const coin of coins) devnet.pay(String(devnet.call('getnewaddress')), coin)
  devnet.mine()
  return devnet
}
const balances = (devnet: Devnet): Json => (devnet.call('getbalances') as View)['mine'] ?? null
const sendWith = (devnet: Devnet, amount: number, options: object): string => {
  const outputs = [{ [devnet.strangerAddress]: amount }]
  return String((devnet.call('send', [outputs, null, null, 5, options]) as View)['txid'])
}

it('counts a coinbase as money after a hundred blocks on top of it', () => {
  const devnet = start()
  devnet.mine(1, { to: String(devnet.call('getnewaddress')) })
  const value = 50n * COIN
  devnet.mine(99)
  expect(balances(devnet)).toEqual({ trusted: 0n, untrusted_pending: 0n, immature: value })
  expect(devnet.call('listunspent')).toEqual([])
  devnet.mine()
  expect(balances(devnet)).toEqual({ trusted: value, untrusted_pending: 0n, immature: 0n })
  expect(devnet.call('listunspent')).toHaveLength(1)
  devnet.reorg(1, { blocks: 1 })
  expect(balances(devnet)).toMatchObject({ trusted: value })
})

it('forgets a coinbase that the chain has left, and what was built on it', () => {
  const devnet = start()
  devnet.mine(1, { to: String(devnet.call('getnewaddress')) })
  const [{ txid } = {}] = devnet.call('listtransactions') as readonly View[]
  devnet.mine(100)
  const child = sendWith(devnet, 1, {})
  devnet.reorg(102, { drop: 'all' })
  expect(balances(devnet)).toEqual({ trusted: 0n, untrusted_pending: 0n, immature: 0n })
  for (const gone of [txid, child]) {
    const { details } = devnet.call('gettransaction', [gone]) as unknown as { details: View[] }
    expect(details[0]).toMatchObject({
      [gone === txid ? 'category' : 'abandoned']: gone === txid ? 'orphan' : true,
    })
  }
})

it('frees the other coins of a payment that a rival in the mempool or in a block shuts out', () => {
  const devnet = start([COIN / 10n, COIN / 10n])
  const both = sendWith(devnet, 0.15, {})
  devnet.evict(both)
  expect(devnet.call('getbalance')).toBe(0n)
  const raw = devnet.call('gettransaction', [both]) as View
  const { vin } = devnet.call('decoderawtransaction', [raw['hex']]) as unknown as {
    vin: readonly { txid: string; vout: number }[]
  }
  const [first, second] = vin
  const inputs = [{ txid: first?.txid, vout: first?.vout }]
  const rival = sendWith(devnet, 0.02, { inputs, add_inputs: false })
  const keys = () =>
    (devnet.call('listunspent', [0]) as readonly View[]).map((coin) => String(coin['txid'])).sort()
  expect(keys()).toEqual([second?.txid ?? '', rival].sort())
  devnet.evict(rival)
  expect(keys()).toEqual([])
  devnet.send(String((devnet.call('gettransaction', [rival]) as View)['hex']))
  devnet.mine()
  expect(keys()).toEqual([second?.txid ?? '', rival].sort())
  expect(devnet.call('gettransaction', [both])).toMatchObject({ confirmations: -1 })
  devnet.reorg(1, { drop: 'all' })
  // Neither is in block or mempool: each may come back, and holds its coins.
  expect(keys()).toEqual([])
})

it('trusts no payment that a stranger makes with his own change', () => {
  const devnet = start()
  const { txid } = devnet.pay(String(devnet.call('getnewaddress')), 20_000n)
  devnet.mine()
  const address = String(devnet.call('getnewaddress'))
  const next = devnet.spend({ from: { txid, vout: 1 }, outs: [{ address, amount: 5000n }] })
  devnet.send(next.raw)
  expect(balances(devnet)).toMatchObject({ trusted: 20_000n, untrusted_pending: 5000n })
  expect(devnet.call('listunspent', [0])).toMatchObject([{ safe: true }, { safe: false }])
  // Nor what the wallet itself builds on it.
  const inputs = [{ txid: next.txid, vout: 0 }]
  devnet.call('sendall', [[address], null, null, 2, { inputs }])
  expect(balances(devnet)).toMatchObject({ trusted: 20_000n })
})

it('does not build on either of two payments that replace each other, nor on too long a chain', () => {
  const devnet = start([COIN / 10n])
  const own = String(devnet.call('getnewaddress'))
  const txid = String(devnet.call('sendtoaddress', [own, '0.01']))
  const bump = devnet.call('bumpfee', [txid]) as View
  expect(bump['origfee']).toBeLessThan(Number(bump['fee']))
  const coins = devnet.call('listunspent', [0]) as readonly View[]
  expect(coins.map(({ safe }) => safe)).toEqual([false, false])
  expect(() => sendWith(devnet, 0.001, {})).toThrow('Insufficient funds')
  devnet.mine()
  for (let i = 0; i < 25; i++) {
    devnet.call('sendall', [[own], null, null, 2])
  }
  expect(devnet.view.mempool()).toHaveLength(25)
  expect(() => sendWith(devnet, 0.001, {})).toThrow('a chain of transactions that will be rejected')
})

it('refuses to raise a fee by too little, below a child, or where nobody was told', () => {
  const devnet = start([COIN / 10n, COIN / 10n])
  const first = sendWith(devnet, 0.01, { change_position: 1 })
  expect(() => devnet.call('bumpfee', [first, { fee_rate: 5.5 }])).toThrow(
    /^Insufficient total fee/,
  )
  const bump = devnet.call('psbtbumpfee', [first]) as View
  const size = 141n
  expect(bump['fee']).toBeGreaterThan(Number(bump['origfee'] as bigint) + Number(5n * size) - 10)
  sendWith(devnet, 0.01, { inputs: [{ txid: first, vout: 1 }] })
  expect(() => devnet.call('bumpfee', [first])).toThrow('Transaction has descendants in the wallet')
  devnet.mine()
  const silent = sendWith(devnet, 0.01, { replaceable: false })
  expect(() => devnet.call('bumpfee', [silent])).toThrow('Transaction is not BIP 125 replaceable')
})

it('takes the fee from the outputs that pay it, the odd satoshi from the first', () => {
  const devnet = start([COIN / 10n])
  const to = [0, 1, 2].map((i) =>
    String(devnet.call('getnewaddress', ['', i ? 'legacy' : 'bech32'])),
  )
  const outputs = to.map((address) => ({ [address]: 0.02 }))
  const options = { subtract_fee_from_outputs: [0, 1, 2], change_position: 0, add_to_wallet: false }
  const { hex } = devnet.call('send', [outputs, null, null, 5.1, options]) as View
  const { vout } = devnet.call('decoderawtransaction', [hex]) as unknown as { vout: View[] }
  const values = vout.map(({ value }) => value as bigint)
  const fee = 6_000_000n - (values[1] ?? 0n) - (values[2] ?? 0n) - (values[3] ?? 0n)
  expect(fee % 3n).not.toBe(0n)
  expect(values).toEqual([
    4_000_000n,
    2_000_000n - fee / 3n - (fee % 3n),
    2_000_000n - fee / 3n,
    2_000_000n - fee / 3n,
  ])
})

it('stands one block lower after one was marked invalid', () => {
  const devnet = start([20_000n])
  const [{ txid } = {}] = devnet.call('listtransactions') as readonly View[]
  devnet.mine(3)
  devnet.call('invalidateblock', [devnet.tip.hash])
  expect(devnet.call('gettransaction', [txid])).toMatchObject({
    confirmations: 3,
    lastprocessedblock: { hash: devnet.tip.hash, height: devnet.tip.height },
  })
})

it('knows a payment of everything that came back by another way', () => {
  const devnet = start([20_000n])
  const to = [devnet.strangerAddress]
  const made = devnet.call('sendall', [to, null, null, 2, { add_to_wallet: false }]) as View
  devnet.send(String(made['hex']))
  expect(balances(devnet)).toMatchObject({ trusted: 0n })
  expect(devnet.call('gettransaction', [made['txid']])).toMatchObject({ confirmations: 0 })
  devnet.mine()
  expect(devnet.call('gettransaction', [made['txid']])).toMatchObject({ confirmations: 1 })
})

it('has its coin back when the payment left the chain and was given up', () => {
  const devnet = start([20_000n])
  const txid = sendWith(devnet, 0.00005, {})
  devnet.mine(2)
  devnet.reorg(2, { drop: 'all' })
  expect(balances(devnet)).toMatchObject({ trusted: 0n, untrusted_pending: 0n })
  devnet.call('abandontransaction', [txid])
  expect(balances(devnet)).toMatchObject({ trusted: 20_000n })
  devnet.mineBlock({ txids: [txid] })
  expect(devnet.call('gettransaction', [txid])).toMatchObject({ confirmations: 1 })
})

it('leaves out of a balance what is not as deep as asked', () => {
  const devnet = start([20_000n])
  sendWith(devnet, 0.00005, {})
  expect(devnet.call('getbalance')).toBeGreaterThan(10_000)
  expect(devnet.call('getbalance', ['*', 1])).toBe(0n)
})

it('raises a fee by five satoshi for each vbyte where nobody says by how much', () => {
  const devnet = start([COIN / 10n])
  const outputs = [{ [devnet.strangerAddress]: 0.01 }]
  const { txid } = devnet.call('send', [outputs, null, null, 30]) as View
  const { origfee, fee } = devnet.call('psbtbumpfee', [txid]) as View
  expect(origfee).toBe(4230n)
  expect(Number(fee) - Number(origfee)).toBeGreaterThanOrEqual(705)
  expect(Number(fee) - Number(origfee)).toBeLessThan(750)
})
