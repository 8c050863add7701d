import { ed25519 } from '@noble/curves/ed25519.js'
import { base64urlnopad } from '@scure/base'
import {
  isHash,
  MAX_SAT,
  ok,
  type PsbtId,
  type Refusal,
  type Result,
  refuse,
  type Sat,
  type Secret,
  type SpendId,
  type Txid,
  toHex,
  tryFromHex,
  type WithdrawalId,
} from '../../kernel/index.ts'
import {
  formatJson,
  isJsonArray,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  jsonBigInt,
  jsonInteger,
  parseJson,
} from '../../protocol/json/index.ts'

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
  /** The version of the policy documents that allowed it; 0 where there are none. */
  readonly policyVersion: number
  /** The height of the tip when it was issued: a signer that sees no chain holds lock times against it. */
  readonly tipHeight: number
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

/** Signs nothing else: another use of the key could not make a receipt by chance. */
const DOMAIN = new TextEncoder().encode('kaccy policy receipt 1\n')
const PREFIX = 'kaccy-receipt-1'
/** A batch of 4,000 payments stays below. */
const MAX_LENGTH = 1_500_000
const MAX_SCRIPT = 10_000

/** A receipt key from the 32 bytes of its secret. @throws AssertionError for another length. */
export function createReceiptKey(secret: Secret<Uint8Array>): ReceiptKey {
  const publicKey = ed25519.getPublicKey(secret.reveal())
  return { publicKey, sign: (message) => ed25519.sign(message, secret.reveal()) }
}

/** The one text of a receipt: members in the order of their names, integers in digits, no white space. */
const bodyOf = (receipt: PolicyReceipt): string =>
  formatJson({
    approvals: receipt.approvals.map(({ at, by }) => ({ at, by })),
    descriptor: receipt.descriptor,
    expires_at: receipt.expiresAt,
    initiators: [...receipt.initiators],
    issued_at: receipt.issuedAt,
    max_fee_sat: receipt.maxFee,
    nonce: receipt.nonce,
    payments: receipt.payments.map(({ amount, script, withdrawal }) => ({
      amount_sat: amount,
      script: toHex(script),
      withdrawal,
    })),
    policy_version: receipt.policyVersion,
    psbt: receipt.psbt,
    spend: receipt.spend,
    tip_height: receipt.tipHeight,
    tx_hash: receipt.unsignedTxid,
    version: 1,
  })

const message = (body: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(DOMAIN.length + body.length)
  bytes.set(DOMAIN)
  bytes.set(body, DOMAIN.length)
  return bytes
}

/** One line of text that `POST /v1/sign` of the signer takes; the format is in `packages/signer/README.md`. */
export function signReceipt(receipt: PolicyReceipt, key: ReceiptKey): string {
  const body = new TextEncoder().encode(bodyOf(receipt))
  const signature = key.sign(message(body))
  return [PREFIX, base64urlnopad.encode(body), base64urlnopad.encode(signature)].join('.')
}

const no = (reason: string): Result<never, Refusal<'RECEIPT_INVALID'>> =>
  refuse('RECEIPT_INVALID', `the receipt ${reason}`, { param: 'receipt', details: { reason } })

/**
 * Reads and verifies what `signReceipt` wrote. Does not look at its times.
 * Whatever has another form than the canonical one is refused, so that one receipt has one text.
 */
export function verifyReceipt(
  text: string,
  publicKey: Uint8Array,
): Result<PolicyReceipt, Refusal<'RECEIPT_INVALID'>> {
  if (text.length > MAX_LENGTH) return no('is too long')
  const [prefix, bodyText = '', signatureText = '', ...rest] = text.split('.')
  if (prefix !== PREFIX || rest.length > 0) return no('is not a receipt of version 1')
  const body = decode(bodyText)
  const signature = decode(signatureText)
  if (!body || signature?.length !== 64) return no('is cut or not base64url')
  // Strict RFC 8032: the signer's library must come to the same answer for every text.
  if (!ed25519.verify(signature, message(body), publicKey, { zip215: false })) {
    return no('is not signed by the receipt key')
  }
  const parsed = parseJson(body, 8)
  const receipt = parsed.ok ? readReceipt(parsed.value) : undefined
  if (!receipt) return no('has a member that is missing or wrong')
  return bodyOf(receipt) === new TextDecoder().decode(body) ? ok(receipt) : no('is not canonical')
}

function decode(text: string): Uint8Array | undefined {
  try {
    return base64urlnopad.decode(text)
  } catch {
    return undefined // not base64url; there is nothing more to say about it
  }
}

const NONCE = /^[0-9a-f]{32}$/
const CHECKSUM = /^[02-9ac-hj-np-z]{8}$/
const text = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= 200
const count = (value: JsonValue | undefined): number | undefined => {
  const number = jsonInteger(value)
  return number === undefined || number < 0 ? undefined : number
}
const amountOf = (value: JsonValue | undefined): Sat | undefined => {
  const amount = jsonBigInt(value)
  return amount === undefined || amount < 0n || amount > MAX_SAT ? undefined : (amount as Sat)
}
/** Every item read, or undefined when one cannot be. */
function listOf<T>(
  value: JsonValue | undefined,
  read: (item: JsonValue) => T | undefined,
): readonly T[] | undefined {
  if (!isJsonArray(value)) return undefined
  const items = value.flatMap((item) => read(item) ?? [])
  return items.length === value.length ? items : undefined
}

function readPayment(value: JsonValue): ReceiptPayment | undefined {
  if (!isJsonObject(value)) return undefined
  const { withdrawal } = value as { readonly withdrawal?: JsonValue }
  const amount = amountOf(value['amount_sat'])
  const hex = value['script']
  const script = typeof hex === 'string' ? tryFromHex(hex) : undefined
  if (!text(withdrawal) || !script || amount === undefined) return undefined
  if (script.length === 0 || script.length > MAX_SCRIPT) return undefined
  return { withdrawal: withdrawal as WithdrawalId, script, amount }
}

function readApproval(value: JsonValue): ReceiptApproval | undefined {
  if (!isJsonObject(value)) return undefined
  const by = value['by']
  const at = count(value['at'])
  return text(by) && at !== undefined ? { by, at } : undefined
}

function readReceipt(value: JsonValue): PolicyReceipt | undefined {
  if (!isJsonObject(value)) return undefined
  const numbers = readNumbers(value)
  const payments = listOf(value['payments'], readPayment)
  const approvals = listOf(value['approvals'], readApproval)
  const initiators = listOf(value['initiators'], (item) => (text(item) ? item : undefined))
  if (!numbers || !payments || !approvals || !initiators) return undefined
  const { psbt, spend, descriptor, nonce, tx_hash: hash } = value as JsonObject & Names
  if (!text(psbt) || !text(spend) || !isHash(hash)) return undefined
  if (typeof descriptor !== 'string' || !CHECKSUM.test(descriptor)) return undefined
  if (typeof nonce !== 'string' || !NONCE.test(nonce)) return undefined
  return {
    ...numbers,
    psbt: psbt as PsbtId,
    spend: spend as SpendId,
    descriptor,
    unsignedTxid: hash as Txid,
    payments,
    approvals,
    initiators,
    nonce,
  }
}

type Names = Readonly<
  Partial<Record<'psbt' | 'spend' | 'descriptor' | 'nonce' | 'tx_hash', JsonValue>>
>

function readNumbers(
  value: JsonObject,
):
  | Pick<PolicyReceipt, 'policyVersion' | 'tipHeight' | 'maxFee' | 'issuedAt' | 'expiresAt'>
  | undefined {
  const policyVersion = count(value['policy_version'])
  const tipHeight = count(value['tip_height'])
  const issuedAt = count(value['issued_at'])
  const expiresAt = count(value['expires_at'])
  const maxFee = amountOf(value['max_fee_sat'])
  if (count(value['version']) !== 1 || policyVersion === undefined || tipHeight === undefined)
    return undefined
  if (issuedAt === undefined || expiresAt === undefined || maxFee === undefined) return undefined
  return { policyVersion, tipHeight, maxFee, issuedAt, expiresAt }
}
