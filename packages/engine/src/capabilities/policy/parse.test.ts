import { describe, expect, test } from 'vitest'
import { type Json, toHex } from '../../kernel/index.ts'
import { parseAddress } from '../../protocol/address/index.ts'
import { DEFAULT_DOCUMENT, parsePolicy, type Policy, testPolicy } from './index.ts'

const REGTEST = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'
const MAIN = 'BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4'
const SCRIPT = '0014751e76e8199196d454941c45d1b3a323f1433bd6'

const read = (document: Json): Policy => {
  const policy = parsePolicy(document)
  if (!policy.ok) throw new TypeError(policy.error.message)
  return policy.value
}
const faultOf = (document: Json) => {
  const policy = parsePolicy(document, 'regtest')
  return policy.ok ? undefined : policy.error.param
}
const limit = { name: 'l', per: 'user', window: { rolling_minutes: 60 }, amount_sat: 1 }
const test1 = { name: 't', request: { amount_sat: 1 }, expect: { decision: 'allow' } }
const rule = { name: 'r', decision: 'hold' }

/** One fault each, with the place that is named. */
const FAULTS: readonly (readonly [string, Json])[] = [
  ['document', []],
  ['document', null],
  ['name', {}],
  ['name', { name: '' }],
  ['name', { name: 'two\nlines' }],
  ['nmae', { nmae: 'x', name: 'x' }],
  ['zone', { name: 'x', zone: 'Mars/Olympus' }],
  ['groups.a b', { name: 'x', groups: { 'a b': ['operator:ann'] } }],
  ['groups.a', { name: 'x', groups: { a: [] } }],
  ['groups.a', { name: 'x', groups: { a: ['operator:ann', 'operator:ann'] } }],
  ['groups.a[0]', { name: 'x', groups: { a: ['engine'] } }],
  ['lists.a[0]', { name: 'x', lists: { a: ['nonsense'] } }],
  ['lists.a[0]', { name: 'x', lists: { a: [MAIN] } }],
  ['lists.a[0]', { name: 'x', lists: { a: ['script:zz'] } }],
  ['lists.a[0]', { name: 'x', lists: { a: ['script:'] } }],
  ['destinations.deny', { name: 'x', destinations: { deny: ['a'] } }],
  ['destinations.allow', { name: 'x', destinations: { allow: ['a'] } }],
  ['limits[0].per', { name: 'x', limits: [{ ...limit, per: 'planet' }] }],
  ['limits[0]', { name: 'x', limits: [{ ...limit, amount_sat: undefined } as unknown as Json] }],
  ['limits[0].amount_sat', { name: 'x', limits: [{ ...limit, amount_sat: 1.5 }] }],
  ['limits[0].amount_sat', { name: 'x', limits: [{ ...limit, amount_sat: -1 }] }],
  ['limits[0].amount_sat', { name: 'x', limits: [{ ...limit, amount_sat: '1' }] }],
  [
    'limits[0].amount_sat',
    { name: 'x', limits: [{ ...limit, amount_sat: 2_100_000_000_000_001 }] },
  ],
  [
    'limits[0].window.calendar',
    { name: 'x', limits: [{ ...limit, window: { calendar: 'year' } }] },
  ],
  [
    'limits[0].window',
    { name: 'x', limits: [{ ...limit, window: { calendar: 'day', rolling_minutes: 1 } }] },
  ],
  [
    'limits[0].window.rolling_minutes',
    { name: 'x', limits: [{ ...limit, window: { rolling_minutes: 92 * 1440 + 1 } }] },
  ],
  [
    'limits[0].window.zone',
    { name: 'x', limits: [{ ...limit, window: { calendar: 'day', zone: 'x' } }] },
  ],
  ['limits[0].count', { name: 'x', limits: [{ ...limit, window: 'single', count: 1 }] }],
  ['limits[0].over', { name: 'x', limits: [{ ...limit, over: 'allow' }] }],
  ['limits[0].of', { name: 'x', limits: [{ ...limit, per: 'platform', of: ['a'] }] }],
  ['limits[0].of', { name: 'x', limits: [{ ...limit, per: 'destination', of: ['a'] }] }],
  ['limits[1].name', { name: 'x', limits: [limit, limit] }],
  ['risk.hold', { name: 'x', risk: { hold: 101 } }],
  ['risk.deny', { name: 'x', risk: { hold: 50, deny: 49 } }],
  ['risk.points.luck', { name: 'x', risk: { points: { luck: 1 } } }],
  ['risk.rapid.count', { name: 'x', risk: { rapid: { count: 21, minutes: 1 } } }],
  ['risk.structuring.percent', { name: 'x', risk: { structuring: { count: 2, hours: 1 } } }],
  ['rules[0].decision', { name: 'x', rules: [{ name: 'r', decision: 'maybe' }] }],
  ['rules[0].when.colour', { name: 'x', rules: [{ ...rule, when: { colour: 'red' } }] }],
  ['rules[0].when.users', { name: 'x', rules: [{ ...rule, when: { users: [] } }] }],
  ['rules[0].when.amount_sat', { name: 'x', rules: [{ ...rule, when: { amount_sat: {} } }] }],
  [
    'rules[0].when.amount_sat.most',
    { name: 'x', rules: [{ ...rule, when: { amount_sat: { least: 2, most: 1 } } }] },
  ],
  [
    'rules[0].when.hours',
    { name: 'x', rules: [{ ...rule, when: { hours: { from: 0, until: 24 } } }] },
  ],
  [
    'rules[0].when.weekdays[0]',
    { name: 'x', rules: [{ ...rule, when: { weekdays: ['funday'] } }] },
  ],
  [
    'rules[0].when.destinations',
    { name: 'x', rules: [{ ...rule, when: { destinations: ['a'] } }] },
  ],
  [
    'rules[0].approvals.from[0]',
    { name: 'x', rules: [{ ...rule, approvals: { needed: 1, from: ['a'] } }] },
  ],
  ['rules[0].approvals.needed', { name: 'x', rules: [{ ...rule, approvals: { needed: 0 } }] }],
  [
    'rules[0].approvals',
    { name: 'x', rules: [{ ...rule, decision: 'allow', approvals: { needed: 1 } }] },
  ],
  [
    'rules[0].transaction_approvals',
    { name: 'x', rules: [{ ...rule, decision: 'deny', transaction_approvals: { needed: 1 } }] },
  ],
  ['rules[1].name', { name: 'x', rules: [rule, rule] }],
  ['otherwise', { name: 'x', otherwise: 'ask' }],
  ['second_person', { name: 'x', second_person: 'yes' }],
  ['tests[0].expect.decision', { name: 'x', tests: [{ ...test1, expect: {} }] }],
  ['tests[0].request.amount_sat', { name: 'x', tests: [{ ...test1, request: {} }] }],
  [
    'tests[0].request.at',
    { name: 'x', tests: [{ ...test1, request: { amount_sat: 1, at: 'noon' } }] },
  ],
  [
    'tests[0].given.used.l',
    { name: 'x', tests: [{ ...test1, given: { used: { l: { count: 1 } } } }] },
  ],
]

describe('a document', () => {
  test.each(FAULTS)('is refused at %s: %j', (param, document) => {
    expect(faultOf(document)).toBe(param)
  })

  test('with nothing in it denies everything', () => {
    const policy = read({ name: 'x' })
    expect(policy).toMatchObject({
      zone: 'UTC',
      limits: [],
      rules: [],
      otherwise: 'deny',
      approvals: { needed: 1 },
      transactionApprovals: { needed: 0 },
      secondPerson: false,
    })
  })

  test('names destinations by address, in any case and of any network, and by script', () => {
    const lists = { main: [MAIN], regtest: [REGTEST], raw: [`script:${SCRIPT.toUpperCase()}`] }
    const destinations = { deny: ['main'], only: ['regtest', 'raw'] }
    const policy = read({ name: 'x', lists, destinations })
    expect([...policy.deny]).toEqual([SCRIPT])
    expect([...(policy.only ?? [])]).toEqual([SCRIPT])
    const address = parseAddress(REGTEST, 'regtest')
    expect(address.ok && toHex(address.value.script)).toBe(SCRIPT)
  })

  test('has windows, hours and thresholds', () => {
    const policy = read({
      name: 'x',
      zone: 'Europe/Berlin',
      limits: [
        { ...limit, window: { calendar: 'day' } },
        { ...limit, name: 'n', window: { calendar: 'month', zone: 'UTC' }, over: 'hold', count: 3 },
        { name: 's', per: 'platform', window: 'single', amount_sat: 99 },
      ],
      rules: [
        { ...rule, when: { hours: { from: 22, until: 6 }, amount_sat: { least: 10, most: 20 } } },
        { name: 'r2', decision: 'deny', when: { amount_sat: { least: 21 } } },
      ],
    })
    expect(policy.limits.map(({ window, over }) => [window, over])).toEqual([
      [{ kind: 'calendar', unit: 'day', zone: 'Europe/Berlin' }, 'deny'],
      [{ kind: 'calendar', unit: 'month', zone: 'UTC' }, 'hold'],
      [{ kind: 'single' }, 'deny'],
    ])
    expect(policy.rules[0]?.when.hours).toEqual([0, 1, 2, 3, 4, 5, 22, 23])
    expect([...policy.thresholds].sort()).toEqual([10n, 100n, 21n].sort())
  })

  test('changes of the risk settings only what it names, and switches off with null', () => {
    const { risk } = read({
      name: 'x',
      risk: {
        hold: 30,
        deny: null,
        large_sat: 5,
        points: { large: 99 },
        rapid: { count: 2, minutes: 1 },
      },
    })
    expect(risk).toMatchObject({ hold: 30, alert: 60, large: 5n, rapid: { count: 2, ms: 60_000 } })
    expect(risk.deny).toBeUndefined()
    expect(risk.points).toMatchObject({ large: 99, structuring: 50 })
  })
})

test('the built-in policy passes its own tests', () => {
  expect(testPolicy(read(DEFAULT_DOCUMENT))).toEqual({
    ok: true,
    cases: 7,
    failures: [],
    findings: [],
  })
})
