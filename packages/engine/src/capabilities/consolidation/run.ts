import {
  type Clock,
  type ConsolidationId,
  newId,
  ok,
  type Refusal,
  type Result,
  refuse,
  type WalletId,
} from '../../kernel/index.ts'
import { DEFAULT_SPEND_POLICY, meansOf } from '../coins/index.ts'
import {
  againAfterConflict,
  doOnce,
  earlierAnswers,
  type Once,
  type OnceRefusal,
} from '../idempotency/index.ts'
import {
  type CommitRefusal,
  commitSpend,
  emptyTrail,
  needsPrevious,
  type PreviousDeps,
  type PreviousRefusal,
  type PreviousTransactions,
  previousOf,
  writeTrail,
} from '../spending/index.ts'
import {
  type Analysis,
  type AnalyseDeps,
  type AnalyseRefusal,
  analyse,
  barredBy,
  type ConsolidationWish,
} from './analyse.ts'
import { tellConsolidation } from './announce.ts'
import type { ConsolidationRecord, Trigger } from './ports.ts'
import type { ConsolidationTx } from './transaction.ts'

export interface RunDeps extends AnalyseDeps {
  readonly clock: Clock
  readonly source: PreviousDeps['source']
}
export type RunRefusal =
  | AnalyseRefusal
  | CommitRefusal
  | PreviousRefusal
  | OnceRefusal
  | Refusal<'CONSOLIDATION_DISTURBED'>

/** Somebody took what was planned with: it is planned again, so often at most. */
const ATTEMPTS = 5

/** Plans and commits a run that somebody asked for. */
export async function request(
  deps: RunDeps,
  wallet: WalletId,
  wish: ConsolidationWish,
  actor: string,
  once?: Once<ConsolidationRecord>,
): Promise<Result<ConsolidationRecord, RunRefusal>> {
  if (once) {
    const answered = await deps.store.read((tx) => earlierAnswers(tx, [once.request]))
    const earlier = answered(once.request)
    if (earlier) return { ok: false, error: earlier }
  }
  for (let attempt = 1; ; attempt++) {
    const seen = await analyse(deps, wallet, wish)
    if (!seen.ok) return seen
    const made = await carryOut(deps, seen.value, { trigger: 'request', actor, once })
    if (made.ok || !isDisturbed(made.error.code) || attempt === ATTEMPTS) return made
  }
}
export const isDisturbed = (code: string): boolean =>
  code === 'COINS_TAKEN' || code === 'CONSOLIDATION_DISTURBED'

/** Why a run is made, for whom, and where its answer is kept. */
interface Cause {
  readonly trigger: Trigger
  readonly actor: string
  readonly once?: Once<ConsolidationRecord> | undefined
}

/** Commits what an analysis found: coins, address, transaction and the run together, or a refusal and nothing. */
export async function carryOut(
  deps: RunDeps,
  seen: Analysis,
  cause: Cause,
): Promise<Result<ConsolidationRecord, RunRefusal>> {
  const previous = await previousFor(deps, seen)
  if (!previous.ok) return previous
  const at = deps.clock.now()
  return againAfterConflict(() =>
    deps.store.transact((tx) =>
      doOnce<ConsolidationRecord, RunRefusal>(tx, cause.once, at, () =>
        commit(deps, tx, seen, previous.value, cause, at),
      ),
    ),
  )
}

async function previousFor(
  { store, source }: RunDeps,
  { descriptor, draft }: Analysis,
): Promise<Result<PreviousTransactions, PreviousRefusal>> {
  if (!needsPrevious(descriptor)) return ok(new Map())
  const points = draft.coins.map(({ point }) => point)
  return previousOf({ store, source }, points)
}

/** What was looked at before is looked at again under the wallet's lock: everything that promises coins of it takes that. */
async function commit(
  deps: RunDeps,
  tx: ConsolidationTx,
  seen: Analysis,
  previous: PreviousTransactions,
  { trigger, actor }: Cause,
  at: number,
): Promise<Result<ConsolidationRecord, RunRefusal>> {
  const { wallet, draft, descriptor } = seen
  await tx.coins.lockFunds(wallet)
  const barred = await barredBy(tx, wallet)
  if (barred) return barred
  if (!(await leavesReserve(deps, tx, seen))) return refuseDisturbed(wallet)
  const trail = emptyTrail()
  const plan = { draft, descriptor, previous, actor, at, approvalsNeeded: 0, policyVersion: 0 }
  const committed = await commitSpend(tx, deps, plan, trail)
  if (!committed.ok) return committed
  const { spend, version } = committed.value
  const run: ConsolidationRecord = {
    id: newId('cns', deps.clock, deps.entropy) as ConsolidationId,
    wallet,
    status: 'planned',
    trigger,
    group: seen.group,
    scripts: seen.scripts,
    inputs: draft.coins.length,
    coins: seen.coins,
    amount: seen.amount,
    fee: draft.fee,
    rate: draft.rate,
    longTermRate: seen.quote.longTermRate,
    saving: seen.saving,
    breakEvenRate: seen.breakEvenRate,
    spend: spend.id,
    ...(version.txid === undefined ? {} : { txid: version.txid }),
    reachedAt: { planned: at },
    createdBy: actor,
    createdAt: at,
    updatedAt: at,
  }
  await tx.consolidations.insert(run)
  tellConsolidation(trail, run, actor)
  await writeTrail(tx, at, trail)
  return ok(run)
}

/** Coins that were to stay may have been spent, frozen or reorganised away since. */
async function leavesReserve(
  { settings }: RunDeps,
  tx: ConsolidationTx,
  { wallet, amount }: Analysis,
): Promise<boolean> {
  const policy = { ...DEFAULT_SPEND_POLICY, ownChange: false }
  const { spendable } = await meansOf(tx, wallet, policy)
  return spendable - amount >= settings.reserve
}
const refuseDisturbed = (wallet: WalletId) =>
  refuse('CONSOLIDATION_DISTURBED', 'coins of this wallet have moved meanwhile; ask again', {
    details: { wallet },
  })
