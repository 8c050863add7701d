import { expect, test } from 'vitest'
import { runOnDevnet } from './run.ts'
import { parseSchedules, reasonToSkip, type Schedule, unknownWords } from './schedule.ts'

const order = { id: 'o1', amount: 100_000, address: 'A1' }
const payment = { tx: { id: 't1', ins: ['ext:t1'], outs: [['A1', 100_000]], rbf: false } }
/** One schedule as a file would bring it. */
function scheduleOf(steps: readonly unknown[], more: object = {}) {
  const file = { schedules: [{ name: 'one', orders: [order], steps, ...more }] }
  const { defaults, schedules } = parseSchedules(JSON.stringify(file))
  return { defaults, schedule: schedules[0] as Schedule }
}
const faultsOf = (steps: readonly unknown[], more: object = {}) => {
  const { defaults, schedule } = scheduleOf(steps, more)
  return runOnDevnet(schedule, defaults)
}

test.each([
  ['a step', [{ teleport: 1 }], {}, 'unknown step teleport'],
  ['a step beside others', [{ parallel: [{ teleport: 1 }] }], {}, 'unknown step teleport'],
  ['a promise', [], { final: { owed: 1 } }, 'unknown word in final: owed'],
  ['an order', [], { orders: [{ ...order, price: 1 }] }, 'unknown word in order: price'],
  ['a schedule', [], { network: 'main' }, 'unknown word in schedule: network'],
])('a word that nobody knows is named: %s', (_where, steps, more, named) => {
  expect(unknownWords(scheduleOf(steps, more).schedule)).toEqual([named])
})

test('a withdrawal is found wherever it stands', () => {
  const withdraw = { withdraw: { key: 'k1' } }
  const reason = 'there are no withdrawals yet'
  expect(reasonToSkip(scheduleOf([withdraw]).schedule)).toBe(reason)
  expect(reasonToSkip(scheduleOf([{ parallel: [withdraw] }]).schedule)).toBe(reason)
  expect(reasonToSkip(scheduleOf([], { wallet: [1] }).schedule)).toBe(reason)
  expect(reasonToSkip(scheduleOf([payment]).schedule)).toBeUndefined()
})

test('an asterisk mines the whole mempool', async () => {
  const child = { tx: { id: 't2', ins: ['t1:0'], outs: [['THIEF', 90_000]], rbf: false } }
  const paid = { expect: { o1: { state: 'CONFIRMED', seen: 100_000 } } }
  expect(await faultsOf([payment, child, { mine: ['*'] }, paid])).toEqual([])
})

test('what is not as expected is said', async () => {
  const late = { expect: { o1: { match: 'LATE' } } }
  expect(await faultsOf([payment, late])).toEqual(['o1.late is false, not true'])
  expect(await faultsOf([{ clock: 4000 }, payment, late])).toEqual([])
  expect(await faultsOf([payment], { final: { credited: { o1: 1 }, reversals: 1 } })).toEqual([
    'final credit of o1 is 0, not 1',
    '0 reversals, not 1',
  ])
})
