import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createLife, type LifeSigns } from './life.ts'

const look = (at: number, uptime: number, connectionLife = 0): LifeSigns => ({
  asked: at,
  answered: at + 40,
  uptime,
  connectionLife,
})
const START = 1_800_000_000_000

/** What a node answers that started at `start`: both moments cut to whole seconds. */
const uptimeAt = (start: number, now: number): number =>
  Math.floor(now / 1000) - Math.floor(start / 1000)

it('one life keeps its name, whenever one looks and however long the call takes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 999 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: 0, max: 9_000 }))),
      (fraction, looks) => {
        const life = createLife()
        const start = START + fraction
        let at = start + 1
        const names = looks.map(([pause, latency]) => {
          at += pause
          const asked = at
          at += latency
          const uptime = uptimeAt(start, asked + Math.floor(latency / 2))
          return life.epoch({ asked, answered: at, uptime, connectionLife: 0 })
        })
        expect(new Set(names).size).toBeLessThanOrEqual(1)
      },
    ),
  )
})

it('a restart is another life, however long ago', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 5_000, max: 9_000_000 }),
      fc.integer({ min: 0, max: 9_000_000 }),
      (age, away) => {
        const life = createLife()
        const first = life.epoch(look(START + age, uptimeAt(START, START + age)))
        const again = START + age + 100
        const later = again + away
        expect(life.epoch(look(later, uptimeAt(again, later)))).not.toBe(first)
      },
    ),
  )
})

it('an uptime that falls is a restart even within the tolerance', () => {
  const life = createLife()
  const first = life.epoch(look(START + 2_000, 2))
  expect(life.epoch(look(START + 2_900, 1))).not.toBe(first)
})

it('slow drift of a clock is forgiven, a step is not', () => {
  const life = createLife()
  const first = life.epoch(look(START, 1_000))
  for (let i = 1; i < 100; i++)
    expect(life.epoch(look(START + i * 60_500, 1_000 + i * 60))).toBe(first)
  expect(life.epoch(look(START + 99 * 60_500 + 10_000, 1_000 + 99 * 60))).not.toBe(first)
})

it('without uptime a lost connection or a falling counter ends a life', () => {
  const life = createLife()
  const seen = (at: number, bytesReceived: number, connectionLife: number) =>
    life.epoch({ asked: at, answered: at, bytesReceived, connectionLife })
  const first = seen(0, 500, 0)
  expect(seen(60_000, 500, 0)).toBe(first)
  expect(seen(120_000, 900, 0)).toBe(first)
  const second = seen(180_000, 899, 0)
  expect(second).not.toBe(first)
  expect(seen(240_000, 2_000, 1)).not.toBe(second)
})

it('a process of ours that starts anew knows the life it saw before', () => {
  const first = createLife().epoch(look(START, 1_000))
  expect(createLife().epoch(look(START + 60_000, 1_060), first)).toBe(first)
  expect(createLife().epoch(look(START + 60_500, 20), first)).not.toBe(first)
})

it('after a restart of ours the name is kept while the node lives on, and not beyond', () => {
  const moment = fc.integer({ min: 0, max: 9_000_000 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999 }), moment, moment, (fraction, first, pause) => {
      const start = START + fraction
      const at = start + first
      const before = createLife().epoch(look(at, uptimeAt(start, at)))
      const now = at + pause
      expect(createLife().epoch(look(now, uptimeAt(start, now)), before)).toBe(before)
      const again = start + first + 6_000
      const later = again + pause
      expect(createLife().epoch(look(later, uptimeAt(again, later)), before)).not.toBe(before)
    }),
  )
})

it.each(['', 'start-', 'start-x', 'start-1e99', 'seen-5-0', '__proto__'])(
  'a stored name that means nothing is not kept: %s',
  (previous) => {
    expect(createLife().epoch(look(START, 0), previous)).not.toBe(previous)
    const silent = { asked: 5, answered: 5, connectionLife: 0 }
    expect(createLife().epoch(silent, 'start-5')).not.toBe('start-5')
  },
)
