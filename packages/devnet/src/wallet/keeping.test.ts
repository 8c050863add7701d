import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDevnetInProcess, type Devnet, type DevnetOptions, type Json } from '../index.ts'

type View = Readonly<Record<string, Json>>
const COIN = 100_000_000n
const NOW = 1_700_000_000_000
let folder = ''
const open: Devnet[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kaccy-devnet-wallets-'))
})
afterEach(async () => {
  for (const devnet of open.splice(0)) await devnet.close()
  rmSync(folder, { recursive: true, force: true })
})
function start(options: DevnetOptions = {}): Devnet {
  const devnet = createDevnetInProcess({ clock: NOW, verifySignatures: false, ...options })
  open.push(devnet)
  return devnet
}
const kept = (): Devnet => start({ dir: folder, persist: true })
/** A wallet with this many coins of one bitcoin. */
function funded(devnet: Devnet, coins = 1): Devnet {
  devnet.call('createwallet', ['w'])
  for (let i = 0; i < coins; i++) devnet.pay(String(devnet.call('getnewaddress')), COIN / 10n)
  devnet.mine()
  return devnet
}
const send = (devnet: Devnet, amount = '0.01'): string =>
  String(devnet.call('sendtoaddress', [devnet.strangerAddress, amount]))
const confirmations = (devnet: Devnet, txid: string): Json =>
  (devnet.call('gettransaction', [txid]) as View)['confirmations'] ?? null

describe('a node that starts again', () => {
  it.each(['kept', 'lost', 'loading'] as const)(
    'offers what its wallets wait for to a mempool that was %s',
    async (mempool) => {
      const devnet = funded(start())
      const first = send(devnet)
      const foreign = devnet.pay(devnet.strangerAddress, 1000n).txid
      const gone = send(devnet)
      devnet.evict(gone)
      devnet.call('abandontransaction', [gone])
      const evicted = send(devnet)
      devnet.evict(evicted)
      await devnet.restart({ mempool })
      const waiting = new Set(devnet.view.mempool())
      // What was given up stays so, and what is not the wallet's comes back only with the stored mempool.
      expect([first, evicted, gone, foreign].map((txid) => waiting.has(txid))).toEqual([
        true,
        true,
        false,
        mempool === 'kept',
      ])
      devnet.finishLoading()
      expect(devnet.view.mempool().includes(foreign)).toBe(mempool !== 'lost')
      devnet.mine()
      expect(confirmations(devnet, first)).toBe(1)
      // Another payment took its coin.
      expect(confirmations(devnet, gone)).toBe(-1)
    },
  )
  it('offers them when a wallet is loaded, too', () => {
    const devnet = funded(start())
    const txid = send(devnet)
    devnet.evict(txid)
    devnet.call('unloadwallet', ['w'])
    expect(devnet.view.mempool()).toEqual([])
    devnet.call('loadwallet', ['w'])
    expect(devnet.view.mempool()).toEqual([txid])
  })
  it('forgets locks and a fee that only memory held', async () => {
    const devnet = funded(start(), 2)
    const coins = devnet.call('listunspent') as readonly View[]
    const [short, long] = coins.map(({ txid, vout }) => ({ txid, vout }))
    devnet.call('lockunspent', [false, [short]])
    devnet.call('lockunspent', [false, [long], true])
    devnet.call('settxfee', ['0.0002'])
    const snapshot = devnet.snapshot()
    await devnet.restart()
    const held = () => [
      devnet.call('listlockunspent'),
      (devnet.call('getwalletinfo') as View)['paytxfee'],
    ]
    expect(held()).toEqual([[long], 0n])
    devnet.restore(snapshot)
    expect((held()[0] as unknown[]).length).toBe(2)
    expect(held()[1]).toBe(20_000n)
    devnet.call('unloadwallet', ['w'])
    devnet.call('loadwallet', ['w'])
    expect(held()).toEqual([[long], 0n])
  })
  it('ends a lock when its coin is spent', () => {
    const devnet = funded(start())
    const [coin] = devnet.call('listunspent') as readonly View[]
    const { txid, vout } = coin ?? {}
    devnet.call('lockunspent', [false, [{ txid, vout }], true])
    expect(() => send(devnet)).toThrow('Insufficient funds')
    const options = { inputs: [{ txid, vout }] }
    devnet.call('send', [[{ [devnet.strangerAddress]: 0.01 }], null, null, 3, options])
    expect(devnet.call('listlockunspent')).toEqual([])
  })
})

describe('a wallet in a folder', () => {
  it('costs a call what the call changed, whatever its history', () => {
    const devnet = funded(kept(), 20)
    const size = () => statSync(join(folder, 'devnet.log')).size
    const grown = (act: () => void): number => {
      const before = size()
      act()
      return size() - before
    }
    const mined = () => grown(() => void devnet.mine())
    const paid = () =>
      grown(() => {
        devnet.pay(String(devnet.call('getnewaddress')), 1000n)
        devnet.mine()
      })
    const [early, earlyPaid] = [mined(), paid()]
    for (let i = 0; i < 8; i++) {
      for (let k = 0; k < 25; k++) send(devnet, '0.0001')
      devnet.mine()
    }
    expect(devnet.call('getwalletinfo')).toMatchObject({ txcount: 221 })
    expect(mined()).toBeLessThan(early + 100)
    expect(paid()).toBeLessThan(earlyPaid + 500)
    expect(grown(() => void devnet.call('listunspent'))).toBe(0)
    expect(grown(() => void devnet.call('getbalances'))).toBe(0)
  })
  it('comes back loaded, put aside, or taken from a text', async () => {
    const devnet = funded(kept())
    devnet.call('createwallet', ['/aside "1"', true])
    devnet.call('unloadwallet', ['/aside "1"'])
    devnet.call('setlabel', [devnet.strangerAddress, 'stranger'])
    const txid = send(devnet)
    devnet.evict(txid)
    devnet.call('abandontransaction', [txid])
    const text = devnet.wallets.toJson()
    expect(text).toContain('"abandoned":true')
    await devnet.close()
    const again = kept()
    expect(again.wallets.toJson()).toBe(text)
    expect(again.call('listwalletdir')).toEqual({
      wallets: [{ name: '/aside "1"' }, { name: 'w' }],
    })
    again.call('createwallet', ['other'])
    again.wallets.fromJson(text)
    again.mine()
    const now = again.wallets.toJson()
    await again.close()
    const third = kept()
    expect(third.wallets.toJson()).toBe(now)
    expect(third.call('listwallets')).toEqual(['w'])
  })
})

describe('wallets of joined devnets', () => {
  it('agree on a coin that was spent on both sides of a partition', () => {
    const here = funded(start({ seed: 'here' }))
    const there = start({ seed: 'there' })
    here.join(there)
    there.call('createwallet', ['copy', false, true])
    const all = (here.call('listdescriptors', [true]) as View)['descriptors'] as unknown as View[]
    const requests = all.map(({ desc, internal }) => {
      return { desc, internal, active: true, timestamp: 0, range: [0, 19] }
    })
    there.call('importdescriptors', [requests])
    expect(there.call('getbalance')).toBe(here.call('getbalance'))
    here.partition(there)
    const ours = send(here, '0.02')
    const theirs = send(there, '0.03')
    here.mine()
    there.mine(3)
    here.join(there)
    expect(here.tip).toEqual(there.tip)
    expect(confirmations(here, theirs)).toBe(3)
    expect(confirmations(here, ours)).toBe(-3)
    expect(here.call('getbalance')).toBe(there.call('getbalance'))
  })
})

describe('wallets of a node that lags', () => {
  it('say what they would without the last blocks, and give addresses away once', async () => {
    const devnet = funded(start())
    const txid = send(devnet)
    devnet.mine(2)
    const now = await devnet.rpc('getbalances')
    devnet.faults.arm({ kind: 'stale', method: '*', blocks: 2 })
    expect(await devnet.rpc('gettransaction', [txid])).toMatchObject({
      confirmations: 0,
      lastprocessedblock: { height: devnet.tip.height - 2 },
    })
    expect(await devnet.rpc('listunspent')).toEqual([])
    const address = await devnet.rpc('getnewaddress')
    const fresh = devnet.pay(String(devnet.call('getnewaddress')), 1000n).txid
    expect(await devnet.rpc('gettransaction', [fresh])).toMatchObject({ confirmations: 0 })
    devnet.evict(fresh)
    devnet.faults.clear()
    expect(await devnet.rpc('getbalances')).toEqual(now)
    expect(await devnet.rpc('getnewaddress')).not.toBe(address)
    expect(await devnet.rpc('gettransaction', [txid])).toMatchObject({ confirmations: 2 })
  })
})
