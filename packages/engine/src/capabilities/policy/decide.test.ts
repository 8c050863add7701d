import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Json, sat } from '../../kernel/index.ts'
import { decideCase } from './cases.ts'
import { matches } from './match.ts'
import { lint, parsePolicy, type Policy, type PolicyCase, type Rule, testPolicy } from './index.ts'

const read = (document: Json): Policy => {
  const policy = parsePolicy(document)
  if (!policy.ok) throw new TypeError(policy.error.message)
  return policy.value
}
const NOON = Date.UTC(2027, 0, 4, 12)
const caseOf = (
  request: Partial<PolicyCase['request']> = {},
  given: Partial<PolicyCase['given']> = {},
): PolicyCase => ({
  name: 'x',
  request: {
    amount: sat(1000n),
    wallet: 'wal_1',
    initiator: 'api:1',
    destination: '0014ab',
    at: NOON,
    metadata: {},
    ...request,
  },
  given: { score: 0, paidToDestination: 1, used: new Map(), ...given },
  expect: { decision: 'allow' },
})
const policyOf = (more: Json & object): Policy =>
  read({ name: 'x', otherwise: 'allow', risk: { hold: 60, deny: 90 }, ...more })
const decideOn = (policy: Policy, ...args: Parameters<typeof caseOf>) =>
  decideCase(policy, caseOf(...args))
const brief = (policy: Policy, ...args: Parameters<typeof caseOf>) => {
  const { decision, reasons, approvals } = decideOn(policy, ...args)
  return [decision, reasons[0]?.code, approvals.needed]
}

describe('rules', () => {
  const policy = policyOf({
    rules: [
      { name: 'vip', when: { users: ['ann'] }, decision: 'allow' },
      { name: 'large', when: { amount_sat: { least: 500 } }, decision: 'hold' },
      { name: 'rest', decision: 'deny' },
    ],
  })
  test.each([
    [{ user: 'ann' }, 'vip'],
    [{ user: 'ann', amount: sat(1n) }, 'vip'],
    [{ user: 'bob' }, 'large'],
    [{ amount: sat(500n) }, 'large'],
    [{ amount: sat(499n) }, 'rest'],
  ] as const)('%o: the first that matches decides', (request, rule) => {
    expect(decideOn(policy, request).rule).toBe(rule)
  })
  test('what none covers is denied, unless the document says otherwise', () => {
    const rules = [{ name: 'r', when: { users: ['ann'] }, decision: 'allow' }]
    expect(brief(read({ name: 'x', rules }))).toEqual(['deny', 'default', 0])
    expect(brief(policyOf({ rules, otherwise: 'hold' }))).toEqual(['hold', 'default', 1])
    expect(decideOn(policyOf({ rules })).rule).toBeUndefined()
  })

  /** Each condition with a request that fulfils it and one that does not. */
  const CONDITIONS: readonly (readonly [
    Json,
    Partial<PolicyCase['request']>,
    Partial<PolicyCase['request']>,
  ])[] = [
    [{ wallets: ['wal_1'] }, {}, { wallet: 'wal_2' }],
    [{ users: ['a', 'b'] }, { user: 'b' }, { user: 'c' }],
    [{ users: ['a'] }, { user: 'a' }, {}],
    [{ customers: ['a'] }, { customer: 'a' }, { user: 'a' }],
    [{ initiators: ['api:1'] }, {}, { initiator: 'api:2' }],
    [{ destinations: ['mine'] }, { destination: '0014cd' }, {}],
    [{ amount_sat: { least: 1000, most: 1000 } }, {}, { amount: sat(1001n) }],
    [{ amount_sat: { least: 1000 } }, {}, { amount: sat(999n) }],
    [{ hours: { from: 13, until: 14 } }, {}, { at: NOON + 3_600_000 }],
    [{ hours: { from: 22, until: 14 } }, {}, { at: NOON + 3_600_000 }],
    [{ weekdays: ['mon'] }, { at: NOON - 13 * 3_600_000 }, { at: NOON - 13 * 3_600_000 - 1 }],
    [{ metadata: { k: 'v' } }, { metadata: { k: 'v', l: 'w' } }, { metadata: { k: 'w' } }],
    [{ users: ['a'], wallets: ['wal_1'] }, { user: 'a' }, { user: 'a', wallet: 'wal_2' }],
  ]
  test.each(CONDITIONS)('%j', (when, yes, no) => {
    const policy = policyOf({
      zone: 'Europe/Berlin',
      lists: { mine: ['script:0014cd', 'script:0014ef'] },
      rules: [{ name: 'r', when, decision: 'deny' }],
    })
    expect(decideOn(policy, yes).decision).toBe('deny')
    expect(decideOn(policy, no).decision).toBe('allow')
  })
  test.each([
    [{ score: { least: 20, most: 30 } }, { score: 20 }, { score: 31 }],
    [{ new_destination: true }, { paidToDestination: 0 }, { paidToDestination: 1 }],
    [{ new_destination: false }, { paidToDestination: 3 }, { paidToDestination: 0 }],
  ] as const)('%j', (when, yes, no) => {
    const policy = policyOf({ rules: [{ name: 'r', when, decision: 'deny' }] })
    expect(decideOn(policy, {}, yes).decision).toBe('deny')
    expect(decideOn(policy, {}, no).decision).toBe('allow')
  })
})

describe('the strictest stands', () => {
  const limits = [
    { name: 'day', per: 'user', window: { calendar: 'day' }, amount_sat: 5000, over: 'hold' },
    { name: 'single', per: 'platform', window: 'single', amount_sat: 3000 },
    { name: 'many', per: 'wallet', of: ['wal_1'], window: { rolling_minutes: 60 }, count: 3 },
  ]
  const lists = { bad: ['script:0014ba'], good: ['script:0014ab', 'script:0014ba'] }
  const policy = policyOf({
    limits,
    lists,
    groups: { g: ['operator:ann', 'operator:bob', 'operator:cy'] },
    destinations: { deny: ['bad'], only: ['good'] },
    approvals: { needed: 2 },
    rules: [
      {
        name: 'held',
        when: { users: ['h'] },
        decision: 'hold',
        approvals: { needed: 1, from: ['g'] },
      },
      { name: 'ok', decision: 'allow', transaction_approvals: { needed: 1, from: ['g'] } },
    ],
  })
  const used = (name: string, amount: bigint, count = 0) => ({
    used: new Map([[name, { amount, count }]]),
  })
  test.each([
    [{}, {}, ['allow', 'rule/ok', 0]],
    [{}, { score: 59 }, ['allow', 'rule/ok', 0]],
    [{}, { score: 60 }, ['hold', 'risk/score', 2]],
    [{}, { score: 90 }, ['deny', 'risk/score', 0]],
    [{}, used('day', 4000n), ['allow', 'rule/ok', 0]],
    [{}, used('day', 4001n), ['hold', 'limit/day', 2]],
    [{}, used('many', 0n, 2), ['allow', 'rule/ok', 0]],
    [{}, used('many', 0n, 3), ['deny', 'limit/many', 0]],
    [{ wallet: 'wal_2' }, used('many', 0n, 3), ['allow', 'rule/ok', 0]],
    [{ amount: sat(3000n) }, {}, ['allow', 'rule/ok', 0]],
    [{ amount: sat(3001n) }, {}, ['deny', 'limit/single', 0]],
    [{ destination: '0014ba' }, {}, ['deny', 'destination', 0]],
    [{ destination: '0014cc' }, {}, ['deny', 'destination', 0]],
    [{ user: 'h' }, {}, ['hold', 'rule/held', 1]],
    [{ user: 'h' }, { score: 60 }, ['hold', 'risk/score', 2]],
  ] as const)('%o, %o: %o', (request, given, expected) => {
    expect(brief(policy, request, given)).toEqual(expected)
  })
  test('the rule says who approves, the larger number how many', () => {
    expect(decideOn(policy, { user: 'h' }, { score: 60 }).approvals).toEqual({
      needed: 2,
      from: ['g'],
    })
    expect(decideOn(policy, {}, { score: 60 }).approvals).toEqual({ needed: 2 })
  })
  test('transactions are approved where something is paid', () => {
    expect(decideOn(policy).transactionApprovals).toEqual({ needed: 1, from: ['g'] })
    expect(decideOn(policy, { amount: sat(3001n) }).transactionApprovals).toEqual({ needed: 0 })
  })
  test('every part says what it would do, with its numbers', () => {
    const { reasons } = decideOn(
      policy,
      { amount: sat(3001n) },
      { score: 70, ...used('day', 9000n) },
    )
    expect(reasons.map(({ code, effect }) => [code, effect])).toEqual([
      ['limit/single', 'deny'],
      ['limit/day', 'hold'],
      ['risk/score', 'hold'],
      ['rule/ok', 'allow'],
    ])
    expect(reasons[1]?.details).toEqual({
      per: 'user',
      amount_sat: 3001,
      used_sat: 9000,
      used_count: 0,
      limit_sat: 5000,
    })
  })
})

describe('the linter', () => {
  const shadows = (rules: Json) =>
    lint(
      policyOf({
        rules,
        tests: [{ name: 't', request: { amount_sat: 1 }, expect: { decision: 'allow' } }],
      }),
    )
  test.each([
    ['the narrow rule first', [{ amount_sat: { most: 5 } }, {}], []],
    ['the wide rule first', [{}, { amount_sat: { most: 5 } }], [['r1', ['r0']]]],
    ['the same twice', [{ users: ['a'] }, { users: ['a'] }], [['r1', ['r0']]]],
    ['a part of a list', [{ users: ['a', 'b'] }, { users: ['b'] }], [['r1', ['r0']]]],
    ['more than the list', [{ users: ['a'] }, { users: ['a', 'b'] }], []],
    ['another condition', [{ users: ['a'] }, { wallets: ['w'] }], []],
    ['one more condition', [{ users: ['a'] }, { users: ['a'], wallets: ['w'] }], [['r1', ['r0']]]],
    [
      'two halves',
      [{ amount_sat: { least: 6 } }, { amount_sat: { most: 5 } }, { users: ['a'] }],
      [['r2', ['r1', 'r0']]],
    ],
    [
      'two halves with a hole',
      [{ amount_sat: { least: 7 } }, { amount_sat: { most: 5 } }, { users: ['a'] }],
      [],
    ],
    [
      'a range over two',
      [
        { amount_sat: { most: 5 } },
        { amount_sat: { least: 4, most: 9 } },
        { amount_sat: { least: 1, most: 9 } },
      ],
      [['r2', ['r0', 'r1']]],
    ],
    ['all scores', [{ score: { least: 0, most: 100 } }, { score: { least: 5 } }], [['r1', ['r0']]]],
    ['the other destinations', [{ new_destination: true }, { new_destination: false }], []],
    [
      'hours',
      [{ hours: { from: 8, until: 18 } }, { hours: { from: 9, until: 10 } }],
      [['r1', ['r0']]],
    ],
    ['more hours', [{ hours: { from: 9, until: 10 } }, { hours: { from: 8, until: 18 } }], []],
    [
      'all days',
      [{ weekdays: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] }, {}],
      [['r1', ['r0']]],
    ],
    ['metadata', [{ metadata: { a: '1' } }, { metadata: { a: '1', b: '2' } }], [['r1', ['r0']]]],
    ['other metadata', [{ metadata: { a: '1' } }, { metadata: { a: '2' } }], []],
  ] as const)('%s', (_name, whens, expected) => {
    const rules = whens.map((when, i) => ({ name: `r${i}`, when, decision: 'allow' }))
    expect(shadows(rules as unknown as Json)).toEqual(
      expected.map(([rule, by]) => ({ kind: 'shadowed', rule, by })),
    )
  })
  test('finds approvals that nobody can complete, and a document without tests', () => {
    const policy = policyOf({
      groups: { g: ['operator:ann', 'operator:bob'], h: ['operator:bob'] },
      approvals: { needed: 3, from: ['g', 'h'] },
      rules: [
        {
          name: 'a',
          when: { users: ['a'] },
          decision: 'hold',
          approvals: { needed: 2, from: ['g'] },
        },
        { name: 'b', decision: 'hold', approvals: { needed: 2, from: ['h'] } },
      ],
    })
    expect(lint(policy)).toEqual([
      { kind: 'approvals_impossible', where: 'document', needed: 3, people: 2 },
      { kind: 'approvals_impossible', where: 'b', needed: 2, people: 1 },
      { kind: 'no_tests' },
    ])
  })

  /** Few values, so that all requests there are can be tried. */
  const when = fc.record(
    {
      amount: fc
        .tuple(fc.nat({ max: 4 }), fc.nat({ max: 4 }), fc.nat({ max: 3 }))
        .map(([a, b, open]) => ({
          ...(open === 1 ? {} : { least: sat(BigInt(Math.min(a, b))) }),
          ...(open === 2 ? {} : { most: sat(BigInt(Math.max(a, b))) }),
        })),
      users: fc.subarray(['a', 'b', 'c'], { minLength: 1 }),
      newDestination: fc.boolean(),
      score: fc.record({ least: fc.nat({ max: 1 }) }),
    },
    { requiredKeys: [] },
  ) satisfies fc.Arbitrary<Rule['when']>
  const everything = ['a', 'b', 'c', 'd'].flatMap((user) =>
    [0n, 1n, 2n, 3n, 4n, 5n].flatMap((amount) =>
      [0, 1].flatMap((paidToDestination) =>
        [0, 1].map((score) => ({ user, amount: sat(amount), paidToDestination, score })),
      ),
    ),
  )
  test('names only rules that no request at all reaches; and of rules by amount and user, all of them', () => {
    fc.assert(
      fc.property(fc.array(when, { minLength: 1, maxLength: 5 }), (whens) => {
        const rules = whens.map((when, i): Rule => ({ name: `r${i}`, when, decision: 'allow' }))
        const named = lint({ ...policyOf({}), rules }).flatMap((finding) =>
          finding.kind === 'shadowed' ? [finding.rule] : [],
        )
        const reached = new Set(
          everything.map(({ paidToDestination, score, ...request }) => {
            const circumstances = { paidToDestination, score, zone: 'UTC' }
            const view = caseOf(request).request
            // The naive reading of "first match": walk down, stop at the first.
            for (const rule of rules) if (matches(rule.when, view, circumstances)) return rule.name
            return undefined
          }),
        )
        for (const name of named) expect(reached).not.toContain(name)
        const isSimple = whens.every(
          ({ users, newDestination, score }) => !users && newDestination === undefined && !score,
        )
        if (isSimple)
          expect(named).toEqual(rules.map(({ name }) => name).filter((name) => !reached.has(name)))
      }),
    )
  })
})

describe('a document’s own tests', () => {
  const document = (expect: Json) =>
    policyOf({
      limits: [
        { name: 'day', per: 'user', window: { calendar: 'day' }, amount_sat: 5, over: 'hold' },
      ],
      approvals: { needed: 2 },
      rules: [{ name: 'r', decision: 'allow', transaction_approvals: { needed: 1 } }],
      tests: [
        {
          name: 't',
          request: { amount_sat: 1 },
          given: { used: { day: { amount_sat: 5 } } },
          expect,
        },
      ],
    })
  test.each([
    [{ decision: 'hold' }, []],
    [{ decision: 'allow' }, [['decision', 'allow', 'hold']]],
    [{ decision: 'hold', rule: 'r' }, []],
    [{ decision: 'hold', rule: null }, [['rule', 'null', 'r']]],
    [{ decision: 'hold', approvals: 2 }, []],
    [{ decision: 'hold', approvals: 1 }, [['approvals', '1', '2']]],
    [{ decision: 'hold', transaction_approvals: 0 }, [['transaction_approvals', '0', '1']]],
    [{ decision: 'hold', reasons: ['limit/day', 'rule/r'] }, []],
    [{ decision: 'hold', reasons: ['limit/x'] }, [['reasons', 'limit/x', 'limit/day rule/r']]],
  ] as const)('%j', (expected, failures) => {
    const report = testPolicy(document(expected as unknown as Json))
    expect(report.failures.map(({ what, expected, got }) => [what, expected, got])).toEqual(
      failures,
    )
    expect(report).toMatchObject({ ok: failures.length === 0, cases: 1, findings: [] })
  })
})
