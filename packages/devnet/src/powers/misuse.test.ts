import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createDevnet, createDevnetInProcess } from '../devnet.ts'
import { DevnetError } from '../failure.ts'

const shop = 'bcrt1qmmxmu240lsj42a53qd0m64ucflassp7nfz7w46'
/** The code of what is thrown. */
function codeOf(power: () => unknown): string {
  try {
    power()
    return 'nothing was thrown'
  } catch (fault) {
    return fault instanceof DevnetError ? fault.code : `${fault}`
  }
}

describe('a power that cannot be used', () => {
  it.each<[string, (devnet: ReturnType<typeof createDevnetInProcess>) => unknown, string]>([
    ['a broken fee rate', (devnet) => devnet.feeSpike(1.5), 'USAGE'],
    ['a negative fee rate', (devnet) => devnet.feeSpike(-1n), 'USAGE'],
    ['half a satoshi', (devnet) => devnet.pay(shop, 1.5), 'USAGE'],
    ['half a satoshi a byte', (devnet) => devnet.pay(shop, 1000, { feeRate: 2.5 }), 'USAGE'],
    ['more than there is', (devnet) => devnet.pay(shop, 10n ** 15n), 'FUNDS_SHORT'],
    ['no address', (devnet) => devnet.pay('bc1', 1000n), 'ADDRESS_INVALID'],
    ['dust', (devnet) => devnet.pay(shop, 1n), 'TRANSACTION_REFUSED'],
    [
      'a faucet into the past',
      (devnet) => devnet.faucet(shop, 9999, { confirmations: -1 }),
      'USAGE',
    ],
    ['a journey with half a block', (devnet) => devnet.travel(60, { blocks: 0.5 }), 'USAGE'],
    ['a journey back', (devnet) => devnet.travelTo(1), 'USAGE'],
    ['pruning above the tip', (devnet) => devnet.prune(111), 'USAGE'],
    ['pruning below zero', (devnet) => devnet.prune(-1), 'USAGE'],
    ['a spend of nothing', (devnet) => devnet.spend({ from: [], outs: [] }), 'USAGE'],
    ['a replacement of nothing', (devnet) => devnet.replace('00'), 'TRANSACTION_UNKNOWN'],
    ['a strange snapshot', (devnet) => devnet.restore({} as never), 'SNAPSHOT_UNKNOWN'],
    ['a fault of no call', (devnet) => devnet.faults.arm({ kind: 'reset' } as never), 'USAGE'],
    [
      'a fault that hits -1 calls',
      (devnet) => devnet.faults.arm({ method: '*', kind: 'reset', times: -1 }),
      'USAGE',
    ],
  ])('%s changes nothing', (_, power, code) => {
    const clock = 1_700_000_000_000
    const [one, twin] = [createDevnetInProcess({ clock }), createDevnetInProcess({ clock })]
    expect(codeOf(() => power(one))).toBe(`DEVNET_${code}`)
    expect([one.now, one.tip, one.view.mempool()]).toEqual([twin.now, twin.tip, []])
    expect(one.faults.list()).toEqual([])
    // The same coins are free, so that what comes next is the same to the byte.
    expect(one.pay(shop, 5000n).raw).toBe(twin.pay(shop, 5000n).raw)
    expect(one.strangerCoin('a')).toEqual(twin.strangerCoin('a'))
  })
  it('pays from coinbases where there are no small coins', () => {
    const devnet = createDevnetInProcess({ start: 'genesis' })
    expect(codeOf(() => devnet.pay(shop, 5000n))).toBe('DEVNET_FUNDS_SHORT')
    devnet.mine(102)
    const payments = [devnet.pay(shop, 5000n).txid, devnet.faucet(shop, 6000n).txid]
    expect(payments.map((txid) => devnet.view.coin(txid, 0)?.value)).toEqual([5000n, 6000n])
    const rich = createDevnetInProcess({ verifySignatures: false })
    for (let i = 0; i < 1005; i++) {
      rich.pay(shop, 5000n)
      if (i % 100 === 0) rich.mine()
    }
    expect(rich.view.coin(rich.pay(shop, 7000n).txid, 0)?.value).toBe(7000n)
  })
  it('refuses options that are none', () => {
    expect(codeOf(() => createDevnetInProcess({ start: 'x' as never }))).toBe('DEVNET_USAGE')
    expect(codeOf(() => createDevnetInProcess({ port: 70_000 }))).toBe('DEVNET_USAGE')
    expect(codeOf(() => createDevnetInProcess({ port: 'x' as never }))).toBe('DEVNET_USAGE')
    expect(codeOf(() => createDevnetInProcess({ clock: new Date() as never }))).toBe('DEVNET_USAGE')
    expect(codeOf(() => createDevnetInProcess({ clock: Number.NaN }))).toBe('DEVNET_USAGE')
    const far = { rawtx: 70_000 }
    expect(codeOf(() => createDevnetInProcess({ zmq: { topics: far } }))).toBe('DEVNET_USAGE')
    expect(codeOf(() => createDevnetInProcess({ zmq: { port: -1 } }))).toBe('DEVNET_USAGE')
    expect(codeOf(() => createDevnetInProcess().auth)).toBe('DEVNET_USAGE')
  })
  it('refuses a file in the place of its folder', async () => {
    const file = fileURLToPath(import.meta.url)
    const refused = expect.objectContaining({ code: 'DEVNET_USAGE' })
    await expect(createDevnet({ dir: file })).rejects.toEqual(refused)
    await expect(createDevnet({ dir: `${file}/below`, persist: true })).rejects.toEqual(refused)
  })
  it('does not open again what was closed', async () => {
    const devnet = await createDevnet()
    await devnet.close()
    const closed = expect.objectContaining({ code: 'DEVNET_CLOSED' })
    await expect(devnet.listen()).rejects.toEqual(closed)
    await expect(devnet.up()).rejects.toEqual(closed)
    await expect(devnet.restart()).rejects.toEqual(closed)
    await devnet.close()
  })
})
