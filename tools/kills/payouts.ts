import type { Meeting } from '../../test/races/store.ts'
import type { PayoutTurn } from './payouts-engine.ts'
import { CLAIMS_END_MS, PayoutWorld } from './payouts-world.ts'

export interface PayoutKillsReport {
  readonly seed: number
  readonly kills: number
  readonly commands: number
  /** Requests that were acknowledged. */
  readonly requests: number
  /** Transactions of which a signer gave out every signature. */
  readonly signed: number
  /** What is wrong; empty when nothing is. */
  readonly faults: readonly string[]
}

/** So that the start of the process is a moment to die at as well as the end of a turn. */
const LATEST_KILL_MS = 150
const TURNS: readonly PayoutTurn[] = ['plan', 'sign', 'send', 'bump']

/**
 * A life of requests, plans, signatures, bumps, cancellations and reorganisations, with a process that is killed again and again
 * at random moments. In the end everyone has what was asked for exactly once, or what their status says.
 */
export async function killPayouts(
  seed: number,
  kills: number,
  meeting: Meeting,
): Promise<PayoutKillsReport> {
  const world = await PayoutWorld.open(seed, meeting)
  try {
    await world.fund(2_000_000, 700_000, 300_000, 120_000)
    while (world.victim.kills < kills) await step(world)
    const faults = await world.verdict()
    const { commands, asked, signers, victim } = world
    return {
      seed,
      kills: victim.kills,
      commands,
      requests: asked.length,
      signed: signers.complete().length,
      faults,
    }
  } finally {
    await world.close()
  }
}

async function step(world: PayoutWorld): Promise<void> {
  const { random, devnet } = world
  const what = random.weighted({
    ask: 6,
    work: 8,
    turn: 8,
    look: 4,
    mine: 5,
    bump: 3,
    cancel: 3,
    leak: 1,
    evict: 1,
    reorg: 1,
    wait: 4,
  })
  switch (what) {
    case 'ask': {
      const request = world.newRequest(random.between(1000, 150_000))
      if (random.chance(50)) await world.tellAndKill(request, random.between(0, LATEST_KILL_MS))
      await world.ask(request)
      return
    }
    case 'work':
    case 'look':
      return atRisk(world, { do: what })
    case 'turn':
      return atRisk(world, { do: 'turn', turn: random.pick(TURNS) ?? 'plan' })
    case 'bump':
    case 'cancel': {
      const { externalId } = random.pick(world.asked) ?? {}
      if (externalId === undefined) return
      const rate = random.between(6, 40) * 1000
      return atRisk(
        world,
        what === 'bump' ? { do: what, externalId, rate } : { do: what, externalId },
      )
    }
    case 'mine':
      devnet.mine(random.between(1, 2))
      return atRisk(world, { do: 'look' })
    case 'reorg':
      devnet.reorg(random.between(1, 2))
      return atRisk(world, { do: 'look' })
    case 'evict': {
      const one = random.pick(devnet.view.mempool())
      if (one !== undefined) devnet.evict(one)
      return
    }
    case 'leak':
      return world.leak()
    case 'wait':
      return world.pass(random.chance(50) ? CLAIMS_END_MS : 5 * CLAIMS_END_MS)
  }
}

/** Twice where it is killed: in the middle, and again to the end. */
async function atRisk(world: PayoutWorld, told: Parameters<PayoutWorld['tell']>[0]): Promise<void> {
  const { random } = world
  if (random.chance(60)) await world.tellAndKill(told, random.between(0, LATEST_KILL_MS))
  if (random.chance(70)) await world.tell(told)
}
