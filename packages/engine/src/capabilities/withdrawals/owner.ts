import {
  assert,
  equalBytes,
  type Sat,
  type SatPerKvB,
  type SpendId,
  sat,
  sumSat,
  type WalletId,
  ZERO,
} from '../../kernel/index.ts'
import { networkFeePostings } from '../ledger/index.ts'
import type {
  BumpLimits,
  OwedPayment,
  SpendMove,
  SpendOwner,
  SpendRecord,
  VersionRecord,
} from '../spending/index.ts'
import { type ChangeDeps, commitChanges, inState, post, stateOf } from './change.ts'
import type { PolicyDoors } from './doors.ts'
import { next, type SpendFacts } from './machine.ts'
import type { WithdrawalRecord } from './ports.ts'
import { paidBy, partsOf, pays } from './shares.ts'
import type { WithdrawalsTx } from './transaction.ts'

export interface OwnerDeps extends ChangeDeps {
  readonly policy: Pick<PolicyDoors, 'release' | 'settle' | 'requireTransactionApprovals'>
}

/** What is true of a spend, as far as this withdrawal is concerned. */
const factsOf = (
  { after, version, versions }: SpendMove,
  { id }: Pick<WithdrawalRecord, 'id'>,
): SpendFacts => {
  const paying = versions.filter((one) => pays(one, id))
  return {
    chain: after.status,
    exposed: paying.some(({ exposedAt }) => exposedAt !== undefined),
    signed: paying.some(({ raw }) => raw !== undefined),
    pays: after.mined !== undefined && pays(version, id),
  }
}

/** Withdrawals of a spend, locked, in the order of their ids. */
async function lockOf(
  tx: WithdrawalsTx,
  { id }: SpendRecord,
): Promise<readonly WithdrawalRecord[]> {
  const known = await tx.withdrawals.ofSpends([id])
  const locked = await tx.withdrawals.lock(known.map((record) => record.id))
  return locked.filter(({ spend }) => spend === id)
}

/**
 * Books what miners were paid by the transaction of a spend that is buried, and takes it back when a reorganisation does. The
 * same for every purpose: wrap the owner of any other spend in it.
 */
export const bookNetworkFee = async (
  tx: WithdrawalsTx,
  { after, version, at, trail }: SpendMove,
): Promise<void> => {
  const { wallet, anchor, status } = after
  const fee = status === 'settled' ? version.fee : undefined
  await post({ tx, at, trail, isFact: true }, await networkFeePostings(tx, { wallet, anchor, fee }))
}
/** An owner, or none, whose spends' fees are booked in the commit that buries them. */
export const bookingFees = <Tx extends WithdrawalsTx>(owner?: SpendOwner<Tx>): SpendOwner<Tx> => ({
  ...owner,
  owed: async (tx, version) => (await owner?.owed(tx, version)) ?? [],
  async moved(tx, move) {
    await owner?.moved(tx, move)
    await bookNetworkFee(tx, move)
  },
})

/** The withdrawals' side of a spend: states and books follow it in the transaction that changes it. */
export function createOwner(deps: OwnerDeps): SpendOwner<WithdrawalsTx> {
  return bookingFees({
    moved: (tx, move) => follow(deps, tx, move),
    owed,
    bumpLimits,
  })
}

/**
 * The owner of what pays for a parent of ours: its fee is booked like any other, and whoever has to approve the transactions of
 * the payout below it has to approve this one too, because its fee leaves the house as well.
 */
export const createChildOwner = (deps: OwnerDeps): SpendOwner<WithdrawalsTx> =>
  bookingFees({
    owed: async () => [],
    async moved(tx, move) {
      if (move.before.versions === move.after.versions) return
      const root = await payoutBelow(tx, move.after)
      await askApprovals(deps, tx, move, await tx.withdrawals.ofSpends([root]))
    },
  })
/** The spend at the bottom of a chain of children. */
async function payoutBelow(tx: WithdrawalsTx, { id, parent }: SpendRecord): Promise<SpendId> {
  let [root, below] = [id, parent]
  while (below !== undefined) {
    root = below
    below = (await tx.spending.spend(root))?.parent
  }
  return root
}

async function follow(deps: OwnerDeps, tx: WithdrawalsTx, move: SpendMove): Promise<void> {
  const { after, before, version, at, trail } = move
  const records = await lockOf(tx, after)
  if (before.versions !== after.versions) await askApprovals(deps, tx, move, records)
  const parts = partsOf(version, records)
  const changes = records.map((record) => {
    const stepped = next(stateOf(record), {
      type: 'followed',
      spend: after.id,
      facts: factsOf(move, record),
    })
    assert(stepped.ok, 'facts of a spend fit every state')
    const why = record.cancelAsked ?? { by: 'engine', reason: REASONS[after.status] }
    const { state } = stepped.value
    return {
      before: record,
      after: inState(record, state, parts.get(record.id), at, why),
      actor: 'engine',
    }
  })
  await commitChanges(deps, { tx, at, trail, isFact: true }, changes)
}
const REASONS: Readonly<Record<SpendRecord['status'], string>> = {
  open: 'its transaction left the best chain',
  mined: 'its transaction is in a block',
  settled: 'a conflicting transaction is buried',
  dropped: 'its transaction was given up',
  lost: 'a buried transaction that is not ours spends a coin of its transaction',
}

/**
 * A replacement is another transaction: whoever had to approve the first one has to approve it too, also one that only takes
 * everything back, because its fee leaves the house.
 */
async function askApprovals(
  { policy }: OwnerDeps,
  tx: WithdrawalsTx,
  { after, versions, at }: SpendMove,
  records: readonly WithdrawalRecord[],
): Promise<void> {
  const version = versions.find(({ id }) => id === after.current)
  if (!version || version.approvalsNeeded === 0 || records.length === 0) return
  await policy.requireTransactionApprovals(tx, {
    psbt: version.id,
    hash: version.hash,
    withdrawals: records.map(({ id }) => id),
    initiators: [version.createdBy],
    at,
  })
}

/** What a version has to pay, by the requests' own rows. */
async function owed(tx: WithdrawalsTx, version: VersionRecord): Promise<readonly OwedPayment[]> {
  const records = await tx.withdrawals.ofSpends([version.spend])
  const byId = new Map(records.map((record) => [record.id, record]))
  const parts = partsOf(version, records)
  const payments: OwedPayment[] = []
  for (const { role } of version.transaction.outputs) {
    if (role.kind !== 'payment') continue
    const paid = role.withdrawals.map((id) => {
      const record = byId.get(id)
      assert(record, `transaction ${version.id} pays ${id}, which it does not serve`)
      return record
    })
    const [first] = paid
    assert(first, 'an output that pays nobody')
    assert(
      paid.every(({ script }) => equalBytes(script, first.script)),
      'withdrawals of one output have one address',
    )
    const amounts = paid.map((record) => {
      const { paid: amount = ZERO, feeShare = ZERO } = parts.get(record.id) ?? {}
      const isWhole = amount + (record.feePayer === 'recipient' ? feeShare : 0n) === record.amount
      assert(isWhole && feeShare <= record.maxFee, `${record.id} is paid what was not asked for`)
      return amount
    })
    payments.push({
      id: first.id,
      parts: paid.map(({ id }, i) => ({ withdrawal: id, amount: amounts[i] ?? ZERO })),
      script: first.script,
      amount: sumSat(amounts),
    })
  }
  return payments
}

const least = <T extends bigint>(values: readonly T[]): T | undefined =>
  values.reduce<T | undefined>((a, b) => (a === undefined || b < a ? b : a), undefined)

/** The ceilings under which several withdrawals can share a transaction with so many outputs that pay them. */
export function ceilingsOf(
  records: readonly Pick<WithdrawalRecord, 'maxFee' | 'maxRate' | 'feePayer'>[],
  outputs: number = records.length,
): { readonly maxFee: Sat; readonly maxRate: SatPerKvB } | undefined {
  const maxRate = least(records.map((record) => record.maxRate))
  const lowest = least(records.map((record) => record.maxFee))
  if (maxRate === undefined || lowest === undefined) return undefined
  // Recipients bear equal parts; the others can lend each other what is left below their ceilings.
  const isEqual = records.some(({ feePayer }) => feePayer === 'recipient')
  const maxFee = isEqual
    ? sat(lowest * BigInt(outputs))
    : sumSat(records.map((record) => record.maxFee))
  return { maxFee, maxRate }
}

async function bumpLimits(tx: WithdrawalsTx, spend: SpendRecord): Promise<BumpLimits | undefined> {
  const version = await tx.spending.version(spend.current)
  const records = await tx.withdrawals.ofSpends([spend.id])
  const paid = new Set(version ? paidBy(version) : [])
  const serving = paid.size > 0 ? records.filter(({ id }) => paid.has(id)) : records
  const ceilings = ceilingsOf(serving)
  if (!ceilings) return undefined
  const deadlines = serving.flatMap(({ speed }) => (speed.kind === 'deadline' ? [speed.at] : []))
  return { ...ceilings, ...(deadlines.length > 0 ? { deadline: Math.min(...deadlines) } : {}) }
}

/**
 * Takes the locks that following the chain may need of payouts, before it takes any other: the funds of every wallet with a
 * spend under way, then the policies. Requests and plans take them in the same order, so that nobody waits in a circle.
 */
export async function lockBeforeFollow(tx: WithdrawalsTx): Promise<void> {
  const wallets = new Set<WalletId>()
  let after: SpendRecord['id'] | undefined
  for (;;) {
    const page = await tx.spending.liveSpends(after, PAGE)
    for (const { wallet } of page) wallets.add(wallet)
    after = page.at(-1)?.id
    if (page.length < PAGE) break
  }
  if (wallets.size === 0) return
  for (const wallet of [...wallets].sort()) await tx.coins.lockFunds(wallet)
  await tx.policy.lockHead()
}
const PAGE = 500
