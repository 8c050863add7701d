import {
  assert,
  type Network,
  ok,
  type PsbtId,
  type Refusal,
  type Result,
  refuse,
  type Transactor,
} from '../../kernel/index.ts'
import {
  EVENT_OF,
  emptyTrail,
  nextVersion,
  type SpendOwners,
  type SpendRecord,
  type Trail,
  tellOwner,
  tellVersion,
  tipOf,
  type VersionEvent,
  type VersionRecord,
  writeTrail,
} from '../spending/index.ts'
import type { SessionRefusal } from './ports.ts'
import type { SigningTx } from './transaction.ts'

/** One transaction to sign, held until the commit. */
export interface Held {
  readonly tx: SigningTx
  readonly spend: SpendRecord
  readonly version: VersionRecord
  readonly trail: Trail
  readonly at: number
}

export const notFound = (id: PsbtId): Result<never, Refusal<'PSBT_NOT_FOUND'>> =>
  refuse('PSBT_NOT_FOUND', `there is no transaction ${id}`, { param: 'id', details: { id } })

const WAITING: readonly VersionRecord['status'][] = ['created', 'partially_signed']

/** Whether signatures are still taken. */
export function waitsForSignatures(
  { id, status }: VersionRecord,
  { current, cancelling, status: spendStatus }: SpendRecord,
): Result<undefined, SessionRefusal> {
  if (current !== id)
    return refuse(
      'PSBT_NOT_CURRENT',
      `${id} was replaced by ${current}: sign that one${cancelling ? ', which takes the payment back' : ''}`,
      { param: 'id', details: { current } },
    )
  if (!WAITING.includes(status) || spendStatus !== 'open')
    return refuse(
      'PSBT_STATE',
      `the transaction is ${status}, its spend ${spendStatus}: it takes no signatures any more`,
      {
        param: 'id',
        details: { status, spend_status: spendStatus },
      },
    )
  return ok(undefined)
}

/** Runs work on one transaction with its spend locked, and writes what it leaves in the trail. */
export async function holding<T, R extends Refusal>(
  tx: SigningTx,
  id: PsbtId,
  at: number,
  work: (held: Held) => Promise<Result<T, R>>,
): Promise<Result<T, R | Refusal<'PSBT_NOT_FOUND'>>> {
  const known = await tx.spending.version(id)
  if (!known) return notFound(id)
  const [spend] = await tx.spending.lockSpends([known.spend])
  // Read again: it may have changed before the lock was ours.
  const version = await tx.spending.version(id)
  assert(spend && version, `${id} without its spend`)
  const trail = emptyTrail()
  const made = await work({ tx, spend, version, trail, at })
  if (made.ok) await writeTrail(tx, at, trail)
  return made
}

export interface Step {
  readonly event?: VersionEvent
  readonly changes?: Partial<VersionRecord>
  /** What it no longer has. */
  readonly ends?: readonly ('nextAt' | 'claimedUntil')[]
  readonly actor: string
  readonly details?: Readonly<Record<string, string | number>>
}

/** Saves a changed version, tells what it came to, and lets the owner of the spend follow, all in this commit. */
export async function stepped(
  held: Held,
  owners: SpendOwners<SigningTx>,
  { event, changes = {}, ends = [], actor, details = {} }: Step,
): Promise<VersionRecord> {
  const { tx, spend, version, trail, at } = held
  const status = event === undefined ? version.status : nextVersion(version.status, event)
  assert(status !== undefined, `a transaction that is ${version.status} cannot be ${event}`)
  const { nextAt, claimedUntil, ...rest } = version
  const next: VersionRecord = {
    ...rest,
    ...(nextAt === undefined || ends.includes('nextAt') ? {} : { nextAt }),
    ...(claimedUntil === undefined || ends.includes('claimedUntil') ? {} : { claimedUntil }),
    ...changes,
    status,
    updatedAt: at,
  }
  await tx.spending.saveVersion(next)
  const type = status === version.status ? undefined : EVENT_OF[status]
  if (type) tellVersion(trail, { spend, version: next, type, actor, details })
  const versions = (await tx.spending.versionsOf([spend.id])).map((one) =>
    one.id === next.id ? next : one,
  )
  const tip = await tipOf(tx)
  await tellOwner({ tx, owners, at, tip, trail }, spend, spend, versions)
  return next
}

/** What a capability here is made of. */
export interface Holder {
  readonly store: Transactor<SigningTx>
  readonly owners: SpendOwners<SigningTx>
  readonly network: Network
}
