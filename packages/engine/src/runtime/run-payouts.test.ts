import { describe, expect, it } from 'vitest'
import { EngineError } from '../kernel/index.ts'
import { type PayoutStep, type PayoutSteps, runPayouts } from './run-payouts.ts'

const settle = async () => {
  for (let i = 0; i < 30; i++) await Promise.resolve()
}

/** A loop on virtual time whose steps do what the test says. */
function world(does: Partial<Record<PayoutStep, () => number>> = {}) {
  const calls: PayoutStep[] = []
  const waiting: (() => void)[] = []
  const step = (name: PayoutStep) => async () => {
    calls.push(name)
    return does[name]?.() ?? 0
  }
  const payouts: PayoutSteps = {
    plan: step('plan'),
    sign: step('sign'),
    send: step('send'),
    bump: step('bump'),
    consolidate: step('consolidate'),
  }
  const running = runPayouts({
    engine: { payouts },
    clock: { now: () => 1_000 },
    timers: {
      after(_ms, action) {
        waiting.push(action)
        return () => {
          const at = waiting.indexOf(action)
          if (at >= 0) waiting.splice(at, 1)
        }
      },
    },
  })
  return { calls, running, waiting }
}

describe('paying out', () => {
  it('goes through the steps in the order of a payout, and rests when nothing was done', async () => {
    const { calls, running, waiting } = world()
    await settle()
    expect(calls).toEqual(['plan', 'sign', 'send', 'bump', 'consolidate'])
    expect(waiting).toHaveLength(1)
    expect(running.health().lastTurnAt).toBe(1_000)
    await running.stop()
    expect(waiting).toHaveLength(0)
  })

  it('goes on at once as long as a turn does something, and when it is woken', async () => {
    let left = 2
    const { calls, running, waiting } = world({ plan: () => (left > 0 ? left-- : 0) })
    await settle()
    expect(calls.filter((name) => name === 'plan')).toHaveLength(3)
    running.wake()
    await settle()
    expect(calls.filter((name) => name === 'plan')).toHaveLength(4)
    expect(waiting).toHaveLength(1)
    await running.stop()
  })

  it('keeps no step from its turn because another one failed, and says which', async () => {
    let down = true
    const { calls, running } = world({
      sign() {
        if (down) throw new EngineError('NODE_UNREACHABLE', 'nobody there')
        return 0
      },
    })
    await settle()
    expect(calls).toEqual(['plan', 'sign', 'send', 'bump', 'consolidate'])
    expect(running.health()).toEqual({
      lastTurnAt: undefined,
      failures: { sign: { code: 'NODE_UNREACHABLE', message: 'nobody there', since: 1_000 } },
    })
    down = false
    running.wake()
    await settle()
    expect(running.health()).toEqual({ lastTurnAt: 1_000, failures: {} })
    await running.stop()
  })

  it('ends with a bug of ours', async () => {
    const { running } = world({
      send() {
        throw new RangeError('a bug')
      },
    })
    await expect(running.ended).rejects.toThrow('a bug')
  })

  it('begins no further step once it is told to stop', async () => {
    const { calls, running } = world({
      sign() {
        void running.stop()
        return 1
      },
    })
    await running.ended
    expect(calls).toEqual(['plan', 'sign'])
  })
})
