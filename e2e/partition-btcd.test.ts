import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import { sat } from '@kaccy/bitcoin/kernel'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBtcd, startBtcd } from '../test/counterparts/btcd.ts'
import { reasonToSkip, type TestNode } from '../test/counterparts/node.ts'
import { RegtestChain } from '../tools/regtest/chain.ts'
import { Strangers } from '../tools/regtest/strangers.ts'
import { switchable } from '../tools/regtest/switchable.ts'
import { EngineUnderTest } from '../tools/scenarios/engine.ts'

const missing = reasonToSkip('btcd', await findBtcd())
const tipOf = (node: TestNode) => node.rpc('getbestblockhash') as Promise<string>

/** Two processes agree in their own time; what is awaited is the event, the pause only spares the processor. */
async function untilSame(a: TestNode, b: TestNode): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if ((await tipOf(a)) === (await tipOf(b))) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new TypeError('the two nodes never agreed')
}

describe.skipIf(missing !== undefined)('two btcd, cut apart and joined again', () => {
  let here: TestNode
  let there: TestNode
  beforeAll(async () => {
    here = await startBtcd()
    there = await startBtcd()
  })
  afterAll(async () => {
    await here.stop()
    await there.stop()
  })

  test('a credited payment that the longer branch double spends is reversed', async () => {
    const start = Math.floor(Date.now() / 1000)
    const strangers = new Strangers('partition')
    const chainHere = new RegtestChain({ rpc: here.rpc, strangers, now: () => start })
    await chainHere.prepare(2)
    await here.rpc('node', ['connect', there.peer, 'temp'])
    await untilSame(here, there)
    const source = createBitcoindSource(here.source)
    const engine = new EngineUnderTest({
      store: createMemoryStore(),
      source: switchable(source),
      start,
    })
    await engine.open()
    await engine.look()
    await engine.registerWallet()
    const order = await engine.createOrder({
      externalId: 'cut',
      amount: sat(100_000n),
      expiresInMs: 3_600_000,
      tolerance: sat(0n),
      thresholds: { confirmed: 1, fullConfirmed: 3, finalized: 6 },
    })

    await here.rpc('node', ['disconnect', there.peer])
    const coin = strangers.named('x')
    const paid = strangers.spend([coin], [{ script: order.script, amount: sat(100_000n) }], {
      fee: sat(1000n),
      rbf: false,
    })
    for (const transactions of [[paid.transaction], [], []]) await chainHere.mine(transactions)
    await engine.look()
    expect((await engine.order(order.id))?.state).toMatchObject({
      status: 'full_confirmed',
      credited: 100_000n,
    })

    // Meanwhile, on the other side of the cut, the same coin goes elsewhere in a longer branch.
    const theft = strangers.spend([coin], [{ script: strangers.script, amount: sat(50_000n) }], {
      fee: sat(2000n),
      rbf: false,
    })
    const chainThere = new RegtestChain({ rpc: there.rpc, strangers, now: () => start })
    await chainThere.prepare(0, 0)
    for (const transactions of [[theft.transaction], [], [], [], []])
      await chainThere.mine(transactions)
    await here.rpc('node', ['connect', there.peer, 'temp'])
    await untilSame(here, there)

    await engine.look()
    expect((await engine.order(order.id))?.state).toMatchObject({ status: 'pending', credited: 0n })
    expect(await engine.reversals()).toBe(1)
    expect(await engine.alertKinds()).toContain('deposit_reversed')
    expect(await engine.brokenInvariants()).toEqual([])
    await source.close()
  })
})
