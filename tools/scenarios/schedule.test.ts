import { expect, test } from 'vitest'
import { runOnDevnet } from './run.ts'
import { parseSchedules, paysOut, reasonToSkip, type Schedule, unknownWords } from './schedule.ts'

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
  ['a payout', [{ withdraw: { fee: 1 } }], {}, 'unknown word in withdraw: fee'],
  ['a fault', [{ fault: { ms: 1 } }], {}, 'unknown word in fault: ms'],
  ['a schedule', [], { network: 'main' }, 'unknown word in schedule: network'],
])('a word that nobody knows is named: %s', (_where, steps, more, named) => {
  expect(unknownWords(scheduleOf(steps, more).schedule)).toEqual([named])
})

const withdraw = { withdraw: { key: 'k1', to: 'D1', amount: 50_000 } }

test('what pays out is found wherever it stands', () => {
  expect(paysOut(scheduleOf([withdraw]).schedule)).toBe(true)
  expect(paysOut(scheduleOf([{ parallel: [withdraw] }]).schedule)).toBe(true)
  expect(paysOut(scheduleOf([], { wallet: [1] }).schedule)).toBe(true)
  expect(paysOut(scheduleOf([payment]).schedule)).toBe(false)
})

test('a word that nothing here can do is a reason to skip', () => {
  const crash = { parallel: [{ crash: 'sent' }] }
  expect(reasonToSkip(scheduleOf([crash]).schedule)).toBe('nothing here can crash yet')
  expect(reasonToSkip(scheduleOf([withdraw]).schedule)).toBeUndefined()
})

test('a fault that nothing hits, and what was not paid, fail a schedule', async () => {
  const fault = { fault: { rpc: 'sendrawtransaction', kind: 'timeout_before' } }
  expect(await faultsOf([{ poll: 1 }, fault], { orders: [] })).toEqual([
    'nothing hit timeout_before of sendrawtransaction',
  ])
  const final = { paid: { D1: 50_001 }, transactions_to: { D1: 2 } }
  const paid = { orders: [], wallet: [200_000], final }
  expect(await faultsOf([withdraw, { mine: ['*'] }], paid)).toEqual([
    'D1 was paid 50000, not 50001',
    'D1 got 1 transactions, not 2',
  ])
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
