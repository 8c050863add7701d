import { outPointKey, type SpendId, toHex } from '@kaccy/bitcoin/kernel'
import type { SpendRecord } from '@kaccy/bitcoin/spending'
import type { Devnet } from '@kaccy/devnet'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectSound } from './sound.ts'
import { MINUTE, World } from './world.ts'

const OPERATIONS = [
  'pay',
  'pay',
  'sign',
  'publish',
  'publish',
  'publish',
  'send',
  'mine',
  'mine',
  'bump',
  'bump',
  'cancel',
  'child',
  'evict',
  'reorg',
  'reorg deep',
  'mine any version',
  'wait',
  'spike',
  'restart',
] as const
type Operation = (typeof OPERATIONS)[number]
interface Step {
  readonly operation: Operation
  readonly n: number
}

const STEPS = fc.array(
  fc.record({
    operation: fc.constantFrom(...OPERATIONS),
    n: fc.integer({ min: 0, max: 1000 }),
  }),
  { minLength: 12, maxLength: 24 },
)

/** What may be wrong with a sending although everything of ours is right: the floor moved after the plan. */
const MAY_REFUSE = /min fee not met|min relay fee not met|missing|non-final|too-long|already/i

/** Mines one transaction if it is valid on the present chain. */
function tryMine(devnet: Devnet, raw: string): void {
  const before = devnet.snapshot()
  try {
    devnet.mineBlock({ transactions: [raw] })
  } catch {
    // Spent or unmade inputs: the block would have been invalid, and nothing happened.
    devnet.restore(before)
  }
}
function isMined({ view }: Devnet, txid: string): boolean {
  for (let height = view.tip().height; height > 110; height--)
    if (view.blockTxids(view.hashAt(height) ?? '')?.includes(txid)) return true
  return false
}

class Run {
  readonly world: World
  constructor(world: World) {
    this.world = world
  }
  async spends(): Promise<readonly SpendRecord[]> {
    return this.world.spending.list({ limit: 1000 })
  }
  async pick(n: number, status = 'open'): Promise<SpendId | undefined> {
    const some = (await this.spends()).filter((spend) => spend.status === status)
    return some[n % Math.max(1, some.length)]?.id
  }
  async take({ operation, n }: Step): Promise<void> {
    const { world } = this
    const id = await this.pick(n)
    switch (operation) {
      case 'pay': {
        const request = await world.request([])
        if (request.coins.length === 0) return
        const amounts = Array.from(
          { length: 1 + (n % 3) },
          (_, i) => 5_000 + ((n * 37 + i) % 9_000),
        )
        await world.tryPay(amounts)
        return
      }
      case 'sign':
        if (id && (await world.current(id)).status === 'created') await world.sign(id)
        return
      case 'publish':
        if (id && (await world.current(id)).status === 'created') await world.sign(id)
        await world.broadcast.sendDue()
        return this.expectAnswers()
      case 'send': {
        await world.broadcast.sendDue()
        return this.expectAnswers()
      }
      case 'mine':
        return world.mine(1 + (n % 3))
      case 'bump':
        if (id)
          await world.spending.bump(id, { speed: world.rate(2_000 + n * 20) }, 'operator:test')
        return
      case 'cancel':
        if (id && n % 2 === 0) await world.spending.cancel(id, 'operator:test')
        return
      case 'child':
        if (id)
          await world.spending.childOf(id, { speed: world.rate(3_000 + n * 10) }, 'operator:test')
        return
      case 'evict': {
        const all = world.devnet.view.mempool()
        const victim = all[n % Math.max(1, all.length)]
        if (victim) world.devnet.evict(victim)
        return
      }
      case 'reorg':
        world.devnet.reorg(
          1 + (n % 2),
          n % 3 === 0 ? { drop: 'all' } : n % 3 === 1 ? { keep: 'all' } : {},
        )
        return
      case 'reorg deep':
        if (n % 3 === 0) world.devnet.reorg(7, n % 2 === 0 ? { keep: 'all' } : { drop: 'all' })
        return
      case 'mine any version':
        return this.mineAny(n)
      case 'wait':
        world.now += (1 + (n % 40)) * MINUTE
        return
      case 'spike':
        world.devnet.feeSpike(n % 2 === 0 ? 1n : 4n)
        return
      case 'restart':
        world.restart()
    }
  }
  /** A miner has kept an older version, or somebody published one that we had only signed. */
  async mineAny(n: number): Promise<void> {
    const { world } = this
    const id = await this.pick(n)
    if (!id) return
    const signed = (await world.versions(id)).filter(({ raw }) => raw !== undefined)
    const { raw } = signed[n % Math.max(1, signed.length)] ?? {}
    // Its coins may be gone with a fork: then no miner can.
    if (raw) tryMine(world.devnet, toHex(raw))
  }
  async expectAnswers(): Promise<void> {
    for (const { id } of await this.spends())
      for (const version of await this.world.versions(id)) {
        const { lastSend } = version
        expect(lastSend?.reason ?? '', 'never held back by the last look').not.toMatch(/last look/)
        if (lastSend?.answer === 'refused') expect(lastSend.reason).toMatch(MAY_REFUSE)
      }
  }
  /** Everything that can be sent is sent and mined: whoever is owed is paid once, or not at all and for a reason. */
  async finish(): Promise<void> {
    const { world } = this
    world.devnet.feeSpike(1n)
    for (let round = 0; round < 4; round++) {
      for (const { id, status } of await this.spends())
        if (status === 'open' && (await world.current(id)).status === 'created')
          await world.sign(id)
      world.now += 61 * MINUTE
      await world.broadcast.sendDue()
      await world.look()
      world.now += 61 * MINUTE
      await world.broadcast.sendDue()
      await world.mine(7)
      await expectSound(world)
    }
    for (const { id, status } of await this.spends())
      expect(['settled', 'dropped', 'lost'], await world.status(id)).toContain(status)
    await this.expectPaidOnce()
  }
  /** In the chain itself, not in our books: no two transactions pay one request. */
  async expectPaidOnce(): Promise<void> {
    const { world } = this
    const paid = new Map<string, string>()
    for (const spend of await this.spends())
      for (const version of await world.versions(spend.id)) {
        if (version.txid === undefined || !isMined(world.devnet, version.txid)) continue
        for (const { role } of version.transaction.outputs)
          for (const request of role.kind === 'payment' ? role.withdrawals : []) {
            expect(paid.get(request), `${request} is paid twice`).toBeUndefined()
            paid.set(request, version.txid)
          }
        expect(spend.mined?.txid).toBe(version.txid)
        expect(version.transaction.inputs.map(outPointKey)).toContain(outPointKey(spend.anchor))
      }
  }
}

test('in every schedule of payouts, bumps, cancels, evictions, forks and restarts nothing is paid twice and no coin is let go', async () => {
  await fc.assert(
    fc.asyncProperty(STEPS, fc.integer({ min: 1, max: 1_000_000 }), async (steps, seed) => {
      const world = await World.open({ seed })
      try {
        await world.fund(60_000, 40_000, 30_000)
        // No fork here reaches what strangers paid us: those coins would be gone for good.
        world.devnet.mine(8)
        await world.look()
        const run = new Run(world)
        for (const step of steps) {
          await run.take(step)
          await world.look()
          await expectSound(world)
        }
        await run.finish()
      } finally {
        await world.close()
      }
    }),
    { numRuns: Number(process.env['RUNS'] ?? 4) },
  )
})
