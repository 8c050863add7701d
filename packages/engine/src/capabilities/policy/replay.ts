import type { Sat, Transactor, WithdrawalId } from '../../kernel/index.ts'
import { Counters, subjectsOf, windowReach } from '../limits/index.ts'
import type { Policy } from './document.ts'
import type { DecisionRecord, Move, PolicyTx } from './ports.ts'
import { viewOf } from './request.ts'
import type { Decision, PolicyVerdict, Reason } from './subject.ts'
import { decideWith, verdictOf } from './verdict.ts'

const PAGE = 500
const DAY_MS = 86_400_000

/** A decision in a few words. */
export interface ShortVerdict {
  readonly policyVersion: number
  readonly decision: Decision
  readonly score: number
  readonly rule?: string
  readonly approvals: number
  readonly transactionApprovals: number
  readonly reasons: readonly Reason[]
}
/** A request that another policy decides otherwise. */
export interface ReplayDifference {
  readonly withdrawal: WithdrawalId
  readonly at: number
  readonly amount: Sat
  readonly user?: string
  readonly before: ShortVerdict
  readonly after: ShortVerdict
}
export interface ReplayReport {
  readonly version: number
  readonly from: number
  readonly until: number
  /** Requests that were decided in this time. */
  readonly requests: number
  /** How many would be decided otherwise, also those that are not listed. */
  readonly different: number
  /** `allow>hold`, `hold>hold` (other approvals), …: how many, and how much, in satoshi. */
  readonly changes: Readonly<Record<string, { readonly count: number; readonly amount: bigint }>>
  /** The first of them, in the order of their decisions. */
  readonly differences: readonly ReplayDifference[]
}
export interface ReplayOptions {
  readonly from: number
  /** Not included. */
  readonly until: number
  /** The most differences to list. Default 1000. */
  readonly list?: number
}

export const shorten = (verdict: PolicyVerdict): ShortVerdict => ({
  policyVersion: verdict.policyVersion,
  decision: verdict.decision,
  score: verdict.score,
  ...(verdict.rule === undefined ? {} : { rule: verdict.rule }),
  approvals: verdict.approvals.needed,
  transactionApprovals: verdict.transactionApprovals,
  reasons: verdict.reasons,
})
const isSame = (a: ShortVerdict, b: ShortVerdict): boolean =>
  a.decision === b.decision &&
  a.approvals === b.approvals &&
  a.transactionApprovals === b.transactionApprovals

type Happened =
  | { readonly decision: DecisionRecord; readonly number: number; readonly at: number }
  | { readonly move: Move; readonly number: number; readonly at: number }

/** Everything that happened from a number on, in its order, read a page at a time. */
async function* history(
  store: Transactor<Pick<PolicyTx, 'policy'>>,
  first: number,
): AsyncGenerator<Happened> {
  let after = first - 1
  for (;;) {
    const { moves, decisions } = await store.read(async ({ policy }) => ({
      moves: await policy.moves({ after, limit: PAGE }),
      decisions: await policy.decisions({ after, limit: PAGE }),
    }))
    const isFull = [moves, decisions].some((page) => page.length === PAGE)
    // A full page ends somewhere in the other one: what stands behind that comes with the next.
    const ends = [moves, decisions].flatMap((page) =>
      page.length === PAGE ? [page.at(-1)?.number ?? 0] : [],
    )
    const last = isFull ? Math.min(...ends) : Number.POSITIVE_INFINITY
    const all: readonly Happened[] = [
      ...decisions.map((decision) => ({
        decision,
        number: decision.number,
        at: decision.subject.at,
      })),
      ...moves.map((move) => ({ move, number: move.number, at: move.at })),
    ]
    yield* all.filter(({ number }) => number <= last).sort((a, b) => a.number - b.number)
    if (!isFull) return
    after = last
  }
}

/** The past as it would have been: what the policy denies is not counted, what it lets through is. */
class Past {
  readonly counters = new Counters()
  readonly #denied = new Set<WithdrawalId>()
  readonly #known = new Map<WithdrawalId, DecisionRecord>()

  /** @param now what the policy says; of a request from before the time that is replayed, what was said then */
  decided(decision: DecisionRecord, now: Decision): void {
    const { withdrawal } = decision.subject
    this.#known.set(withdrawal, decision)
    // What was denied then and is let through now counts as well: what would have become of it nobody knows.
    if (now === 'deny') this.#denied.add(withdrawal)
    else this.#count(withdrawal)
  }

  moved({ kind, withdrawal }: Move): void {
    if (kind === 'released') this.counters.remove(withdrawal)
    else if (!this.#denied.has(withdrawal)) this.#count(withdrawal)
  }

  #count(withdrawal: WithdrawalId): void {
    const decision = this.#known.get(withdrawal)
    // One from before everything that any window looks back over.
    if (!decision) return
    const { amount, at } = decision.subject
    this.counters.add({ withdrawal, amount, at, subjects: subjectsOf(viewOf(decision.subject)) })
  }
}

/**
 * Runs a policy over past requests and names those that it decides otherwise. Limits count what the policy itself would
 * have let through; what was known of the user (habit, destinations, the last hour and day) is what was written down with
 * each decision. The policy that was in force gives its own decisions again, every one. Reads; changes nothing.
 */
export async function replayPolicy(
  store: Transactor<Pick<PolicyTx, 'policy'>>,
  version: number,
  policy: Policy,
  { from, until, list = 1000 }: ReplayOptions,
): Promise<ReplayReport> {
  const reach = Math.max(0, ...policy.limits.map(({ window }) => windowReach(window)))
  const first = await store.read((tx) => tx.policy.firstNumber(from - reach))
  const past = new Past()
  const differences: ReplayDifference[] = []
  const changes: Record<string, { count: number; amount: bigint }> = {}
  let requests = 0
  let different = 0
  for await (const happened of first === undefined ? [] : history(store, first)) {
    // Clocks of several processes differ a little: decisions are in the order of their numbers, not of their times.
    if (happened.at >= until + DAY_MS) break
    if ('move' in happened) {
      past.moved(happened.move)
      continue
    }
    const { decision } = happened
    const { subject, facts, verdict } = decision
    if (subject.at < from || subject.at >= until) {
      past.decided(decision, verdict.decision)
      continue
    }
    requests += 1
    const request = viewOf(subject)
    const decided = decideWith(policy, request, facts, (limit) =>
      past.counters.sum({ subject: limit.subject, from: limit.from ?? subject.at }),
    )
    const now = shorten(verdictOf(decided, version, verdict.digest))
    past.decided(decision, now.decision)
    const before = shorten(verdict)
    if (isSame(before, now)) continue
    different += 1
    const kind = `${before.decision}>${now.decision}`
    const change = changes[kind] ?? { count: 0, amount: 0n }
    changes[kind] = { count: change.count + 1, amount: change.amount + subject.amount }
    const { withdrawal, at, amount, user } = subject
    if (differences.length < list)
      differences.push({
        withdrawal,
        at,
        amount,
        ...(user === undefined ? {} : { user }),
        before,
        after: now,
      })
  }
  return { version, from, until, requests, different, changes, differences }
}
