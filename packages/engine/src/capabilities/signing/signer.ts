import type { ErrorCode, Network, PsbtId } from '../../kernel/index.ts'

/** One transaction to be signed by one signer. */
export interface SigningRequest {
  readonly psbt: PsbtId
  readonly network: Network
  /** The PSBT in its binary form (BIP 174, version 0), with the signatures that are there already. */
  readonly bytes: Uint8Array
  /** The policy receipt of exactly this transaction, as `signReceipt` wrote it. Devices do not read it. */
  readonly receipt: string
}

/** Why a signer said no, as a code of the registry: its remedy says whether asking again can help. */
export type SignerRefusalCode = Extract<
  ErrorCode,
  'SIGNER_REFUSED' | 'SIGNER_DECLINED' | 'SIGNER_NOT_READY' | 'SIGNER_MISCONFIGURED'
>

/** Nothing was signed, for certain. */
export interface SignerRefused {
  readonly answer: 'refused'
  readonly code: SignerRefusalCode
  /** One word from the signer's own closed list: `fee_too_high`, `receipt_expired`, `limit_day`, ... */
  readonly reason: string
  /** For people; never keys, never PSBT bytes. */
  readonly detail: string
}

/**
 * What came of asking. `signed` carries a PSBT as the signer gave it back: it is foreign input until every signature in it is
 * verified against our own. `unknown` (no answer, half an answer, an answer nobody can read) says nothing about whether a signature exists now:
 * ask the same again, never free money.
 */
export type SigningAnswer = Readonly<
  { answer: 'signed'; bytes: Uint8Array } | SignerRefused | { answer: 'unknown'; reason: string }
>

/**
 * Who holds keys. Obligations of an implementation:
 * - the same request may be made again at any time, also after `unknown`, and is then answered as before;
 * - it never rejects: what the world does wrong is `unknown`, what the signer does not want is `refused`;
 * - `refused` means that no signature left the signer because of this call;
 * - it ends in bounded time.
 */
export interface Signer {
  /** Stands in sessions, audit and metrics. */
  readonly name: string
  sign(request: SigningRequest): Promise<SigningAnswer>
}
