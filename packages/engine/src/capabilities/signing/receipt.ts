import type {
  PsbtId,
  Refusal,
  Result,
  Sat,
  SpendId,
  Txid,
  WithdrawalId,
} from '../../kernel/index.ts'
import { AssertionError } from '../../kernel/index.ts'

/** One withdrawal that the transaction pays. Several with one script may share an output that carries their sum. */
export interface ReceiptPayment {
  readonly withdrawal: WithdrawalId
  readonly script: Uint8Array
  readonly amount: Sat
}
export interface ReceiptApproval {
  /** The actor: `operator:<name>`, `api:<key id>` or `engine`. */
  readonly by: string
  /** Milliseconds since the Unix epoch. */
  readonly at: number
}

/** The engine's word to a signer that its policy allows exactly this transaction. Times in milliseconds since the Unix epoch. */
export interface PolicyReceipt {
  readonly psbt: PsbtId
  readonly spend: SpendId
  /** The eight characters of the checksum of the wallet's descriptor in canonical text (BIP 380). */
  readonly descriptor: string
  /** The id of the unsigned transaction: twice SHA-256 of its bytes with empty input scripts. */
  readonly unsignedTxid: Txid
  readonly policyVersion: number
  /** Empty for a transaction that pays only ourselves. */
  readonly payments: readonly ReceiptPayment[]
  readonly maxFee: Sat
  readonly approvals: readonly ReceiptApproval[]
  /** Who asked for the payments: none of them counts as an approval. */
  readonly initiators: readonly string[]
  readonly issuedAt: number
  readonly expiresAt: number
  /** 32 hex digits, fresh for each receipt. */
  readonly nonce: string
}

/** The engine's receipt key (Ed25519, RFC 8032). The signers know the public part. */
export interface ReceiptKey {
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

/** One line of text that `POST /v1/sign` of the signer takes; the format is in `packages/signer/README.md`. */
export function signReceipt(receipt: PolicyReceipt, key: ReceiptKey): string {
  throw new AssertionError(`unfinished: ${receipt.nonce} ${key.publicKey.length}`)
}

/** Reads and verifies what `signReceipt` wrote. */
export function verifyReceipt(
  text: string,
  publicKey: Uint8Array,
): Result<PolicyReceipt, Refusal<'RECEIPT_INVALID'>> {
  throw new AssertionError(`unfinished: ${text.length} ${publicKey.length}`)
}
