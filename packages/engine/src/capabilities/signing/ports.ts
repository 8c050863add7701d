import type { PsbtId, Refusal, Result } from '../../kernel/index.ts'
import type { Once, OnceRefusal } from '../idempotency/index.ts'
import type { Approval, ApprovalRefusal } from '../policy/index.ts'
import type { SpendRecord, VersionFilter, VersionRecord } from '../spending/index.ts'

/** How far one input is. Fingerprints of keys that could still sign, 8 hex digits each. */
export interface InputProgress {
  readonly have: number
  readonly need: number
  readonly missing: readonly string[]
}

/** A transaction with everything that decides whether it is signed and sent. */
export interface Session {
  readonly spend: SpendRecord
  readonly version: VersionRecord
  /** Whether it is the version of its spend that is worked on. Signatures for others are not taken. */
  readonly isCurrent: boolean
  readonly inputs: readonly InputProgress[]
  readonly approvals: {
    readonly have: number
    readonly need: number
    readonly complete: boolean
    readonly given: readonly Approval[]
    /** Who asked for what it pays: they never approve it. */
    readonly initiators: readonly string[]
  }
}

export type SessionRefusal = Refusal<'PSBT_NOT_FOUND' | 'PSBT_STATE' | 'PSBT_NOT_CURRENT'>
export type TakeRefusal =
  | SessionRefusal
  | Refusal<
      | 'PSBT_MALFORMED'
      | 'PSBT_VERSION_UNKNOWN'
      | 'PSBT_TOO_LARGE'
      | 'PSBT_NOT_APPROVED'
      | 'PSBT_DIFFERENT_TRANSACTION'
      | 'PSBT_CONFLICT'
      | 'PSBT_INCOMPLETE'
      | 'PSBT_UNSPENDABLE'
      | 'SIGNATURE_INVALID'
      | 'SIGNATURE_FOREIGN'
      | 'SIGNATURE_SIGHASH'
      | 'LAST_LOOK_REFUSED'
    >
export interface Taken {
  readonly version: VersionRecord
  /** Signatures that were new. */
  readonly added: number
}
/** What goes over to a signer that nobody can reach. */
export interface Offered {
  readonly version: VersionRecord
  /** One line, for seven days. Absent where this process has no receipt key. */
  readonly receipt?: string
}
type Changed<R extends Refusal> = Promise<Result<VersionRecord, R | SessionRefusal | OnceRefusal>>

/** Transactions to sign, by the id of their PSBT. `actor` is who asks, as in the audit trail. */
export interface Psbts {
  get(id: PsbtId): Promise<Session | undefined>
  /** Newest first. */
  list(filter: VersionFilter): Promise<readonly VersionRecord[]>
  /**
   * Gives the PSBT, and the receipt that goes with it, to somebody who can sign: from now on only a conflicting spend undoes
   * what it pays. Refused before the people who must approve the transaction have done so.
   */
  offer(
    id: PsbtId,
    actor: string,
  ): Promise<Result<Offered, SessionRefusal | Refusal<'PSBT_NOT_APPROVED'>>>
  /**
   * Takes the signatures out of a PSBT that comes back, after each was verified against ours; nothing else of it is used. The
   * last one completes the transaction: it is finalised, looked at by other code, and stored, to be sent.
   */
  addSignatures(
    id: PsbtId,
    bytes: Uint8Array,
    actor: string,
    once?: Once<Taken>,
  ): Promise<Result<Taken, TakeRefusal | OnceRefusal>>
  /** One person's word for exactly the transaction with this hash. */
  approve(
    id: PsbtId,
    hash: string,
    actor: string,
    once?: Once<VersionRecord>,
  ): Changed<ApprovalRefusal>
  /** Ends this version before it is final. Nobody is asked to sign it any more; what was signed already stays dangerous. */
  reject(
    id: PsbtId,
    reason: string,
    actor: string,
    once?: Once<VersionRecord>,
  ): Changed<Refusal<'FIELD_INVALID'>>
}

/** One turn of asking signers. */
export interface SigningReport {
  readonly asked: number
  readonly signed: number
  readonly refused: number
  readonly unknown: number
}
