import { type Conditions, type Policy, type Range, type Rule, WEEKDAYS } from './document.ts'
import type { ApprovalsNeeded } from './subject.ts'

/** What is wrong with a policy that can be read: each keeps it from being enabled. */
export type Finding = Readonly<
  | {
      kind: 'shadowed'
      /** It can never decide, because these earlier rules match whatever it matches. */
      rule: string
      by: readonly string[]
    }
  /** More people have to approve than there are. `where`: a rule, or `document`. */
  | { kind: 'approvals_impossible'; where: string; needed: number; people: number }
  | { kind: 'no_tests' }
>

const isWithin = (ours: readonly string[] | undefined, theirs: readonly string[] | undefined) =>
  ours === undefined || (theirs?.every((one) => ours.includes(one)) ?? false)

/** Whether every score of `theirs` is one of `ours`. */
const coversScore = (ours: Range<number> = {}, theirs: Range<number> = {}): boolean =>
  (theirs.least ?? 0) >= (ours.least ?? 0) && (theirs.most ?? 100) <= (ours.most ?? 100)

function coversTime(ours: Conditions, theirs: Conditions): boolean {
  const days = ours.weekdays?.length === WEEKDAYS.length ? undefined : ours.weekdays
  const hours = (list: readonly number[] | undefined) => list?.map(String)
  return isWithin(days, theirs.weekdays) && isWithin(hours(ours.hours), hours(theirs.hours))
}

/** Whether whatever fulfils `theirs`, amounts aside, fulfils `ours`. */
function coversBesideAmount(ours: Conditions, theirs: Conditions): boolean {
  const pairs = Object.entries(ours.metadata ?? {})
  return (
    isWithin(ours.wallets, theirs.wallets) &&
    isWithin(ours.users, theirs.users) &&
    isWithin(ours.customers, theirs.customers) &&
    isWithin(ours.initiators, theirs.initiators) &&
    isWithin(ours.destinations, theirs.destinations) &&
    (ours.newDestination === undefined || ours.newDestination === theirs.newDestination) &&
    coversScore(ours.score, theirs.score) &&
    coversTime(ours, theirs) &&
    pairs.every(([key, value]) => theirs.metadata?.[key] === value)
  )
}

/** The earlier rules that together match every amount of this one; undefined when some amount gets through. */
function shadowOf(rule: Rule, earlier: readonly Rule[]): readonly string[] | undefined {
  const candidates = earlier
    .filter(({ when }) => coversBesideAmount(when, rule.when))
    .map(({ name, when: { amount } }) => ({ name, least: amount?.least ?? 0n, most: amount?.most }))
    .sort((a, b) => (a.least < b.least ? -1 : 1))
  const last = rule.when.amount?.most
  let next: bigint = rule.when.amount?.least ?? 0n
  const by: string[] = []
  for (const { name, least, most } of candidates) {
    if (least > next || (most !== undefined && most < next)) continue
    by.push(name)
    if (most === undefined || (last !== undefined && most >= last)) return by
    next = most + 1n
  }
  return undefined
}

const shadowed = (rules: readonly Rule[]): readonly Finding[] =>
  rules.flatMap((rule, i): readonly Finding[] => {
    const by = shadowOf(rule, rules.slice(0, i))
    return by ? [{ kind: 'shadowed', rule: rule.name, by }] : []
  })

function impossible(policy: Policy): readonly Finding[] {
  const check = (where: string, approvals: ApprovalsNeeded | undefined): readonly Finding[] => {
    if (approvals?.from === undefined) return []
    const { needed, from } = approvals
    const people = membersOf(policy, from)?.length ?? 0
    return people < needed ? [{ kind: 'approvals_impossible', where, needed, people }] : []
  }
  return [
    ...check('document', policy.approvals),
    ...check('document', policy.transactionApprovals),
    ...policy.rules.flatMap((rule) => [
      ...check(rule.name, rule.approvals),
      ...check(rule.name, rule.transactionApprovals),
    ]),
  ]
}

/** Everybody of these groups, each once; undefined where no group is named: anybody. */
export const membersOf = (
  { groups }: Pick<Policy, 'groups'>,
  from: readonly string[] | undefined,
): readonly string[] | undefined =>
  from && [...new Set(from.flatMap((name) => groups.get(name) ?? []))].sort()

/** Names rules that can never decide, approvals that nobody can complete, and a document without tests. */
export const lint = (policy: Policy): readonly Finding[] => [
  ...shadowed(policy.rules),
  ...impossible(policy),
  ...(policy.tests.length === 0 ? [{ kind: 'no_tests' } as const] : []),
]
