import { expect, it } from 'vitest'
import { createDevnetInProcess, type Json } from '../index.ts'

type View = Readonly<Record<string, Json>>
function start() {
  const devnet = createDevnetInProcess({ clock: () => 1_795_370_832_000 })
  const call = <T = View>(method: string, ...params: readonly unknown[]): T =>
    devnet.call(method, params) as T
  call('createwallet', 'w')
  return { devnet, call, address: () => call<string>('getnewaddress') }
}

it('lists what came after a block, and the block from which to ask next', () => {
  const { devnet, call, address } = start()
  const { txid } = devnet.faucet(address(), 20_000n)
  const block = devnet.tip.hash
  const before = devnet.view.hashAt(devnet.tip.height - 1)
  expect(call('listsinceblock', before)['transactions']).toMatchObject([{ txid }])
  expect(call('listsinceblock', block)).toMatchObject({ transactions: [], lastblock: block })
  devnet.mine(2)
  expect(call('listsinceblock', block, 1)).toMatchObject({ lastblock: devnet.tip.hash })
  expect(call('listsinceblock', block, 3)).toMatchObject({ transactions: [], lastblock: block })
  expect(call('listsinceblock', before, 3)['transactions']).toMatchObject([{ txid }])
})

it('pages through its transactions, the newest last', () => {
  const { devnet, call, address } = start()
  const txids = [1, 2, 3, 4].map(() => devnet.faucet(address(), 20_000n).txid)
  const page = (count: number, skip: number) =>
    call<readonly View[]>('listtransactions', '*', count, skip).map(({ txid }) => txid)
  expect(page(2, 0)).toEqual(txids.slice(2))
  expect(page(2, 1)).toEqual(txids.slice(1, 3))
  expect(page(9, 3)).toEqual(txids.slice(0, 1))
  expect(page(2, 4)).toEqual([])
})

it('calls a coinbase by its age', () => {
  const { devnet, call, address } = start()
  devnet.mine(1, { to: address() })
  const category = () => call<readonly View[]>('listtransactions')[0]?.['category']
  expect(category()).toBe('immature')
  devnet.mine(99)
  expect(category()).toBe('immature')
  devnet.mine()
  expect(category()).toBe('generate')
})

it('sets a rate between the relay fee and a tenth of a bitcoin', () => {
  const { call } = start()
  expect(call('settxfee', '0.1')).toBe(true)
  expect(() => call('settxfee', '0.10000001')).toThrow(
    'txfee cannot be more than wallet max tx fee (0.10000000 BTC/kvB)',
  )
  expect(call('settxfee', '0.00001')).toBe(true)
  expect(() => call('settxfee', '0.00000999')).toThrow(
    'txfee cannot be less than min relay tx fee (0.00001000 BTC/kvB)',
  )
})

it('locks an output once, unless it is to last', () => {
  const { devnet, call, address } = start()
  const { txid } = devnet.faucet(address(), 20_000n)
  const lock = (vout: number, ...more: readonly unknown[]) =>
    call('lockunspent', false, [{ txid, vout }], ...more)
  expect(lock(0)).toBe(true)
  expect(() => lock(0)).toThrow('Invalid parameter, output already locked')
  expect(lock(0, true)).toBe(true)
  expect(() => lock(2)).toThrow('Invalid parameter, vout index out of bounds')
})
