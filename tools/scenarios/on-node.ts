import type { Store } from '@kaccy/bitcoin'
import { createBitcoindSource } from '@kaccy/bitcoin/adapters/bitcoind'
import { createMemoryStore } from '@kaccy/bitcoin/adapters/memory'
import type { TestNode } from '../../test/counterparts/node.ts'
import { RegtestChain } from '../regtest/chain.ts'
import { Strangers } from '../regtest/strangers.ts'
import { switchable } from '../regtest/switchable.ts'
import { EngineUnderTest } from './engine.ts'
import { ScheduleRun } from './runner.ts'
import type { Schedule, ScheduleFile } from './schedule.ts'

/** Coins that one schedule may need. */
const COINS = 4

/** Why a schedule cannot be run on a node that nobody can tell what to forget. */
export function reasonToSkipOnNode(schedule: Schedule): string | undefined {
  const evicts = schedule.steps.some((step) => step.evict !== undefined)
  return evicts ? 'a real node cannot be made to evict a transaction' : undefined
}

/**
 * Runs one schedule against a real node over RPC: blocks are built here and handed over with submitblock, dropped ones
 * are invalidated. The chain goes on from schedule to schedule; each has its own strangers, store and engine.
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
  const source = createBitcoindSource(node.source)
  const engine = new EngineUnderTest({ store, source: switchable(source), start })
  try {
    await engine.open()
    await engine.look()
    await engine.registerWallet()
    return await new ScheduleRun({ schedule, defaults, chain, strangers, engine }).run()
  } finally {
    await source.close()
  }
}
