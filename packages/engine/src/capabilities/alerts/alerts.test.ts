import { expect, test } from 'vitest'
import { createMemoryStore } from '../../adapters/memory/index.ts'
import { createAlerts, type NewAlert, raiseAlerts } from './index.ts'

const alert = (key: string, more: Partial<NewAlert> = {}): NewAlert => ({
  key,
  kind: 'late_payment',
  severity: 'warning',
  subject: 'ord_1',
  message: 'came after expiry',
  data: { amount_sat: 5 },
  ...more,
})
function setUp() {
  const store = createMemoryStore()
  let now = 1000
  const alerts = createAlerts({ store, clock: { now: () => now++ } })
  const raise = (...list: NewAlert[]) => store.transact((tx) => raiseAlerts(tx, 7, list))
  const events = () => store.read((tx) => tx.events.list({ after: 0, limit: 100 }))
  const trail = () => store.read((tx) => tx.audit.list({ limit: 100 }))
  return { store, alerts, raise, events, trail }
}

test('a new alert is stored and told; the same fact does not ring again', async () => {
  const { raise, events, alerts } = setUp()
  expect((await raise(alert('late/1'), alert('late/2'))).map(({ id }) => id)).toEqual([
    'alr_1',
    'alr_2',
  ])
  expect(await raise(alert('late/1', { message: 'other words' }))).toEqual([])
  expect(await raise()).toEqual([])
  const told = await events()
  expect(told.map(({ type, subject, at }) => [type, subject, at])).toEqual([
    ['alert.raised', 'alr_1', 7],
    ['alert.raised', 'alr_2', 7],
  ])
  expect(told[0]?.data).toEqual({
    alert: 'alr_1',
    kind: 'late_payment',
    severity: 'warning',
    subject: 'ord_1',
    message: 'came after expiry',
    data: { amount_sat: 5 },
  })
  expect((await alerts.get('alr_1'))?.message).toBe('came after expiry')
})

test('an alert and what it speaks of are one commit', async () => {
  const { store, raise, events } = setUp()
  const failing = store.transact(async (tx) => {
    await raiseAlerts(tx, 7, [alert('late/1')])
    throw new RangeError('undo')
  })
  await expect(failing).rejects.toThrow('undo')
  expect(await events()).toEqual([])
  expect((await raise(alert('late/1'))).map(({ id }) => id)).toEqual(['alr_1'])
})

test('an operator acknowledges: stored, audited and told once', async () => {
  const { raise, alerts, events, trail } = setUp()
  await raise(alert('late/1'))
  const first = await alerts.acknowledge('alr_1', { actor: 'operator:ann', note: 'called' })
  expect(first).toMatchObject({
    ok: true,
    value: { id: 'alr_1', acknowledged: { at: 1000, by: 'operator:ann', note: 'called' } },
  })
  const second = await alerts.acknowledge('alr_1', { actor: 'operator:bob' })
  expect(second).toEqual(first)
  expect(await trail()).toMatchObject([
    {
      actor: 'operator:ann',
      action: 'alert.acknowledge',
      subject: 'alr_1',
      details: { key: 'late/1', note: 'called' },
    },
  ])
  expect((await events()).map(({ type }) => type)).toEqual(['alert.raised', 'alert.acknowledged'])
})

test('two operators at once: one of them is on record', async () => {
  const { raise, alerts, trail } = setUp()
  await raise(alert('late/1'))
  const answers = await Promise.all(
    ['ann', 'bob', 'cid'].map((name) => alerts.acknowledge('alr_1', { actor: `operator:${name}` })),
  )
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
  expect(await trail()).toHaveLength(1)
})

test('an unknown alert is refused', async () => {
  const { alerts, trail } = setUp()
  const answer = await alerts.acknowledge('alr_7', { actor: 'operator:ann' })
  expect(answer).toMatchObject({ ok: false, error: { code: 'NOT_FOUND', param: 'id' } })
  expect(await trail()).toEqual([])
})

test('open alerts are listed', async () => {
  const { raise, alerts } = setUp()
  await raise(alert('a'), alert('b', { kind: 'drift' }), alert('c'))
  await alerts.acknowledge('alr_1', { actor: 'operator:ann' })
  const ids = async (filter: Parameters<typeof alerts.list>[0]) =>
    (await alerts.list(filter)).map(({ id }) => id)
  expect(await ids({ open: true, limit: 9 })).toEqual(['alr_3', 'alr_2'])
  expect(await ids({ kind: 'drift', limit: 9 })).toEqual(['alr_2'])
})
