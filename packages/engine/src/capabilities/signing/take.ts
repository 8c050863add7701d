import {
  assert,
  equalBytes,
  ok,
  type PsbtId,
  refuse,
  type Result,
  type Txid,
  type Weight,
} from '../../kernel/index.ts'
import { type LookExpectation, lastLook, refuseByLook } from '../../protocol/last-look/index.ts'
import {
  encodePsbt,
  finalizePsbt,
  type Psbt,
  parsePsbt,
  progressOf,
  takeSignatures,
} from '../../protocol/psbt/index.ts'
import { againAfterConflict, doOnce, type Once, type OnceRefusal } from '../idempotency/index.ts'
import { descriptorOf, expectationOf, tipOf, type VersionRecord } from '../spending/index.ts'
import { approvalsOf, notApproved } from './approvals.ts'
import type { SessionRefusal, Taken, TakeRefusal } from './ports.ts'
import {
  type Held,
  type Holder,
  holding,
  notFound,
  stepped,
  waitsForSignatures,
} from './session.ts'
import type { SigningTx } from './transaction.ts'

/** Our own PSBT, as we stored it. @throws AssertionError when it cannot be read. */
export function ownPsbt({ id, psbt }: VersionRecord): Psbt {
  const parsed = parsePsbt(psbt)
  assert(parsed.ok, `the stored PSBT of ${id} cannot be read`)
  return parsed.value
}

/** What taking a PSBT comes to, worked out before any lock is taken: verifying a hundred signatures takes its time. */
interface Prepared {
  /** The version that this was worked out for. */
  readonly of: VersionRecord
  readonly added: number
  readonly psbt: Uint8Array
  readonly final?: { readonly raw: Uint8Array; readonly txid: Txid; readonly weight: Weight }
}

type Worked = Result<Prepared, TakeRefusal>

function prepare(
  of: VersionRecord,
  bytes: Uint8Array,
  expectation: LookExpectation | undefined,
): Worked {
  const theirs = parsePsbt(bytes)
  if (!theirs.ok) return theirs
  const taken = takeSignatures(ownPsbt(of), theirs.value)
  if (!taken.ok) return taken
  const { psbt, added } = taken.value
  const prepared = { of, added, psbt: encodePsbt(psbt) }
  if (progressOf(psbt).some(({ have, need }) => have < need)) return ok(prepared)
  const final = finalizePsbt(psbt)
  if (!final.ok) return final
  if (!expectation)
    return refuse('LAST_LOOK_REFUSED', 'a coin of the transaction is not held for it any more')
  const token = lastLook(final.value.bytes, expectation)
  if (!token.ok) return refuseByLook(token.error)
  const { txid, weight, bytes: raw } = token.value
  return ok({ ...prepared, final: { raw, txid, weight } })
}

/** Stores what was worked out, if it still is about the same signatures; else works it out anew, which is rare. */
async function commit(
  held: Held,
  owners: Holder['owners'],
  work: { readonly prepared: Prepared; readonly again: (version: VersionRecord) => Worked },
  actor: string,
): Promise<Result<Taken, TakeRefusal>> {
  const { tx, spend, version, at } = held
  const waits = waitsForSignatures(version, spend)
  if (!waits.ok) return waits
  const approvals = await approvalsOf(tx, version)
  if (!approvals.complete) return notApproved(version, approvals)
  const fits = equalBytes(version.psbt, work.prepared.of.psbt)
  const prepared = fits ? ok(work.prepared) : work.again(version)
  if (!prepared.ok) return prepared
  const { added, psbt, final } = prepared.value
  if (added === 0 && !final) return ok({ version, added })
  // A signature proves that somebody who can sign has seen it, whether or not we gave it out.
  const seen = { psbt, exposedAt: version.exposedAt ?? at }
  if (!final) {
    const step = { event: 'signature', changes: { ...seen, nextAt: at }, actor } as const
    return ok({ version: await stepped(held, owners, step), added })
  }
  const signed = await stepped(held, owners, { event: 'complete', changes: seen, actor })
  const { raw, txid, weight: finalWeight } = final
  const changes = { raw, txid, finalWeight, nextAt: at }
  const step = { event: 'finalized', changes, actor } as const
  return ok({ version: await stepped({ ...held, version: signed }, owners, step), added })
}

export interface Taking {
  readonly id: PsbtId
  readonly bytes: Uint8Array
  readonly actor: string
  readonly at: number
  readonly once?: Once<Taken> | undefined
}

/**
 * Takes signatures, see `Psbts.addSignatures`. Everything is verified outside of the transaction that stores it; that one
 * looks again whether it is still about the same signatures.
 */
export async function takeIn(
  deps: Holder,
  { id, bytes, actor, at, once }: Taking,
): Promise<Result<Taken, TakeRefusal | OnceRefusal>> {
  const found = await deps.store.read((tx) => readForTaking(tx, deps, id))
  if (!found) return notFound(id)
  if (!found.ok) return found
  const { version, expectation } = found.value
  const again = (one: VersionRecord) => prepare(one, bytes, expectation)
  const first = again(version)
  if (!first.ok) return first
  const work = { prepared: first.value, again }
  return againAfterConflict(() =>
    deps.store.transact((tx) =>
      doOnce<Taken, TakeRefusal>(tx, once, at, () =>
        holding(tx, id, at, (held) => commit(held, deps.owners, work, actor)),
      ),
    ),
  )
}

interface ReadyToTake {
  readonly version: VersionRecord
  readonly expectation: LookExpectation | undefined
}
async function readForTaking(
  tx: SigningTx,
  { network, owners }: Holder,
  id: PsbtId,
): Promise<Result<ReadyToTake, SessionRefusal> | undefined> {
  const version = await tx.spending.version(id)
  const spend = version && (await tx.spending.spend(version.spend))
  if (!spend) return undefined
  // First of all: what a spend that was given up would have to pay cannot be asked any more.
  const waits = waitsForSignatures(version, spend)
  if (!waits.ok) return waits
  const descriptor = await descriptorOf(tx, network, spend.wallet)
  const owed = (await owners[spend.purpose]?.owed(tx, version)) ?? []
  const tip = await tipOf(tx)
  const expectation = await expectationOf(tx, { spend, version, descriptor, owed, tip })
  return ok({ version, expectation })
}
