import { ok, type PsbtId, type Refusal, refuse, toHex } from '../../kernel/index.ts'
import { progressOf } from '../../protocol/psbt/index.ts'
import { againAfterConflict, doOnce } from '../idempotency/index.ts'
import type { VersionRecord } from '../spending/index.ts'
import { approvalsOf, approveIn, notApproved } from './approvals.ts'
import { type AskingOptions, signDue } from './ask.ts'
import { grant } from './grant.ts'
import type {
  InputProgress,
  Offered,
  Psbts,
  Session,
  SessionRefusal,
  SigningReport,
} from './ports.ts'
import { holding, stepped, waitsForSignatures } from './session.ts'
import { ownPsbt, takeIn } from './take.ts'
import type { SigningTx } from './transaction.ts'

const MAX_REASON = 500
/** Time to carry a transaction to a signer without a network, and back. */
const CARRIED_MS = 7 * 24 * 60 * 60_000
type OfferRefusal = SessionRefusal | Refusal<'PSBT_NOT_APPROVED'>

export interface Signing extends Psbts {
  /** One turn: asks the signers of everything that waits for them. Any number of processes may do so. */
  signDue(): Promise<SigningReport>
}

export function createSigning(options: AskingOptions): Signing {
  const { store, clock, entropy, owners, receiptKey } = options
  const forMs = CARRIED_MS
  return {
    get: (id) => store.read((tx) => sessionOf(tx, id)),
    list: (filter) => store.read((tx) => tx.spending.listVersions(filter)),
    offer(id, actor) {
      const at = clock.now()
      return store.transact((tx) =>
        holding<Offered, OfferRefusal>(tx, id, at, async (held) => {
          const { version, spend } = held
          const waits = waitsForSignatures(version, spend)
          if (!waits.ok) return waits
          const approvals = await approvalsOf(tx, version)
          if (!approvals.complete) return notApproved(version, approvals)
          const receipt = receiptKey
            ? { receipt: await grant(held, { owners, entropy, key: receiptKey, approvals, forMs }) }
            : {}
          if (version.exposedAt !== undefined) return ok({ version, ...receipt })
          const step = { changes: { exposedAt: at }, actor }
          return ok({ version: await stepped(held, owners, step), ...receipt })
        }),
      )
    },
    addSignatures: (id, bytes, actor, once) =>
      takeIn(options, { id, bytes, actor, at: clock.now(), once }),
    approve(id, hash, actor, once) {
      const at = clock.now()
      return againAfterConflict(() =>
        store.transact((tx) =>
          doOnce(tx, once, at, () => approveIn(tx, owners, { id, hash, by: actor, at })),
        ),
      )
    },
    reject(id, reason, actor, once) {
      const at = clock.now()
      const words = reason.trim()
      if (words === '' || words.length > MAX_REASON)
        return Promise.resolve(
          refuse('FIELD_INVALID', `a reason has 1 to ${MAX_REASON} characters`, {
            param: 'reason',
          }),
        )
      return againAfterConflict(() =>
        store.transact((tx) =>
          doOnce(tx, once, at, () =>
            holding(tx, id, at, async (held) => {
              const waits = waitsForSignatures(held.version, held.spend)
              if (!waits.ok) return waits
              const changes = { rejected: { by: actor, reason: words, at } }
              const details = { reason: words }
              const ends = ['nextAt'] as const
              const step = { event: 'rejected', changes, ends, actor, details } as const
              return ok(await stepped(held, owners, step))
            }),
          ),
        ),
      )
    },
    signDue: () => signDue(options),
  }
}

async function sessionOf(tx: SigningTx, id: PsbtId): Promise<Session | undefined> {
  const version = await tx.spending.version(id)
  const spend = version && (await tx.spending.spend(version.spend))
  if (!spend) return undefined
  return {
    spend,
    version,
    isCurrent: spend.current === id,
    inputs: inputsOf(version),
    approvals: await approvalsOf(tx, version),
  }
}

const inputsOf = (version: VersionRecord): readonly InputProgress[] =>
  progressOf(ownPsbt(version)).map(({ have, need, missing }) => ({
    have,
    need,
    missing: missing.map((fingerprint) =>
      typeof fingerprint === 'string' ? fingerprint : toHex(fingerprint),
    ),
  }))
