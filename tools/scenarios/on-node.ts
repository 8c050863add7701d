import type { Store } from '@kaccy/bitcoin'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import type { TestNode } from '../../test/counterparts/node.ts'
import { RegtestChain } from '../regtest/chain.ts'
import { type FaultProxy, startFaultProxy } from '../regtest/fault-proxy.ts'
import { Strangers } from '../regtest/strangers.ts'
import { switchable } from '../regtest/switchable.ts'
import { EngineUnderTest } from './engine.ts'
import { type FaultBench, payoutsOver, SEND_PATIENCE_MS } from './payouts.ts'
import { ScheduleRun } from './runner.ts'
import { paysOut, type Schedule, type ScheduleFile } from './schedule.ts'

/** Coins that one schedule may need. */
const COINS = 4

/** Why a schedule cannot be run on a node that nobody can tell what to forget. */
export function reasonToSkipOnNode(schedule: Schedule): string | undefined {
  const evicts = schedule.steps.some((step) => step.evict !== undefined)
  return evicts ? 'a real node cannot be made to evict a transaction' : undefined
}

/**
 * Runs one schedule against a real node over RPC: blocks are built here and handed over with submitblock, dropped ones
 * are invalidated. The chain goes on from schedule to schedule; each has its own strangers, store and engine. What a node
 * cannot be told to do wrong is done by a proxy before it.
 */
export async function runOnNode(
  schedule: Schedule,
  defaults: ScheduleFile['defaults'],
  node: TestNode,
  store: Store = createMemoryStore(),
): Promise<readonly string[]> {
  const start = Math.floor(Date.now() / 1000)
  const strangers = new Strangers(`${schedule.name} on ${node.name}`)
  const rpc = (method: string, params?: readonly unknown[]) => node.rpc(method, params)
  const chain = new RegtestChain({ rpc, strangers, now: () => start })
  await chain.prepare(COINS)
  const proxy = paysOut(schedule) ? await startFaultProxy(node.source) : undefined
  const source = createBitcoindSource(
    proxy ? { ...proxy.source, deadlines: { send: SEND_PATIENCE_MS } } : node.source,
  )
  const engine = new EngineUnderTest({
    store,
    source: switchable(source),
    start,
    ...(proxy ? { payouts: payoutsOver(source) } : {}),
  })
  try {
    await engine.open()
    await engine.look()
    await engine.registerWallet()
    const bench = proxy ? { bench: faultsOf(proxy) } : {}
    const parts = { schedule, defaults, chain, strangers, engine, ...bench }
    return await new ScheduleRun(parts).run()
  } finally {
    await source.close()
    await proxy?.stop()
  }
}

const faultsOf = (proxy: FaultProxy): FaultBench => ({
  arm: ({ rpc, ...fault }) => proxy.arm({ method: rpc, ...fault }),
  pending: () => proxy.pending().map(({ kind, method }) => `${kind} of ${method}`),
})
