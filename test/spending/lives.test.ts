import { afterEach, expect, test } from 'vitest'
import type { Kind } from './keys.ts'
import { expectSound } from './sound.ts'
import { World, type WorldOptions } from './world.ts'

let world: World
const open = async (options: WorldOptions = {}) => {
  world = await World.open(options)
  return world
}
afterEach(() => world.close())

test.each<Kind>(['p2wpkh', 'p2tr', 'p2sh-p2wpkh', 'p2pkh'])(
  'a payout of %s coins is planned, signed, sent, mined and settled',
  async (kind) => {
    await open({ kind })
    await world.fund(60_000, 40_000, 90_000)
    const spend = await world.pay(70_000, 20_000)
    const planned = await world.current(spend.id)
    expect(planned.txid === undefined).toBe(kind === 'p2pkh')
    expect(planned.txid === planned.hash).toBe(kind === 'p2wpkh' || kind === 'p2tr')
    const txid = await world.send(spend.id)
    if (planned.txid) expect(txid).toBe(planned.txid)
    const sent = await world.current(spend.id)
    expect(sent.finalWeight).toBeLessThanOrEqual(planned.weight)
    expect(planned.weight - (sent.finalWeight ?? 0)).toBeLessThanOrEqual(
      (kind === 'p2pkh' ? 8 : 2) * planned.transaction.inputs.length,
    )
    expect(await world.status(spend.id)).toBe('open: payment broadcast')
    await world.mine()
    expect(await world.status(spend.id)).toBe('mined: payment confirmed')
    await expectSound(world)
    await world.mine(5)
    expect(await world.status(spend.id)).toBe('settled: payment confirmed')
    expect(await world.alerts()).toEqual([])
    await expectSound(world)
  },
)
