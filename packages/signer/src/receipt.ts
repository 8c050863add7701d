import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { base64urlnopad } from '@scure/base'
import { MAX_SAT } from './bitcoin/transaction.ts'
import { fromHex, join, toHex } from './bytes.ts'
import { SignerFailure } from './failure.ts'

export interface Payment {
  readonly withdrawal: string
  readonly script: Uint8Array
  readonly amount: bigint
}
/** What the engine's policy allowed. Times in milliseconds since the Unix epoch. README.md has the format. */
export interface Receipt {
  readonly psbt: string
  readonly spend: string
  /** Checksum of the wallet's descriptor. */
  readonly descriptor: string
  readonly txHash: string
  readonly policyVersion: number
  readonly tipHeight: number
  readonly payments: readonly Payment[]
  readonly maxFee: bigint
  readonly approvals: readonly { readonly by: string; readonly at: number }[]
  readonly initiators: readonly string[]
  readonly issuedAt: number
  readonly expiresAt: number
  readonly nonce: string
}

const PREFIX = 'kaccy-receipt-1'
const DOMAIN = new TextEncoder().encode('kaccy policy receipt 1\n')
const MAX_LENGTH = 1_500_000
/** DER before the 32 bytes of an Ed25519 public key. Source: RFC 8410. */
const SPKI = fromHex('302a300506032b6570032100')

/** @throws SignerFailure unless 64 hex digits of an Ed25519 public key. */
export function receiptKey(hex: string): KeyObject {
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new SignerFailure('a receipt key has 64 lower-case hex digits')
  const key = Buffer.from(join(SPKI, fromHex(hex)))
  return createPublicKey({ key, format: 'der', type: 'spki' })
}

const decode = (text: string): Uint8Array | undefined => {
  try {
    return base64urlnopad.decode(text)
  } catch {
    return undefined // not base64url
  }
}

/** Undefined unless signed by one of the keys and in its one canonical form. Does not look at its times. */
export function readReceipt(text: string, keys: readonly KeyObject[]): Receipt | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const [prefix, bodyText = '', signatureText = '', ...rest] = text.split('.')
  if (prefix !== PREFIX || rest.length > 0) return undefined
  const body = decode(bodyText)
  const signature = decode(signatureText)
  if (!body || signature?.length !== 64) return undefined
  const message = join(DOMAIN, body)
  if (!keys.some((key) => verify(null, message, key, signature))) return undefined
  try {
    const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
    const receipt = parse(JSON.parse(json))
    return receipt && print(receipt) === json ? receipt : undefined
  } catch {
    return undefined // not UTF-8 or not JSON
  }
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= 200
const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0
const isAmount = (value: unknown): value is number => isCount(value) && BigInt(value) <= MAX_SAT
const isList = (value: unknown): value is readonly Record<string, unknown>[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null)
const matches = (value: unknown, form: RegExp): value is string =>
  typeof value === 'string' && form.test(value)

function parsePayments(value: unknown): readonly Payment[] | undefined {
  if (!isList(value)) return undefined
  const payments = value.flatMap(({ amount_sat: amount, script, withdrawal }) =>
    isAmount(amount) && isText(withdrawal) && matches(script, /^([0-9a-f]{2}){1,10000}$/)
      ? [{ withdrawal, script: fromHex(script), amount: BigInt(amount) }]
      : [],
  )
  return payments.length === value.length ? payments : undefined
}

function parse(value: unknown): Receipt | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const from = value as Readonly<Record<string, unknown>>
  const { psbt, spend, descriptor, nonce, approvals, initiators } = from
  const payments = parsePayments(from['payments'])
  const { tx_hash: txHash, policy_version: policyVersion, tip_height: tipHeight } = from
  const { max_fee_sat: maxFee, issued_at: issuedAt, expires_at: expiresAt } = from
  if (from['version'] !== 1 || !payments || !isList(approvals)) return undefined
  if (!isText(psbt) || !isText(spend) || !matches(descriptor, /^[02-9ac-hj-np-z]{8}$/))
    return undefined
  if (!matches(nonce, /^[0-9a-f]{32}$/) || !matches(txHash, /^[0-9a-f]{64}$/)) return undefined
  if (!isCount(policyVersion) || !isCount(tipHeight) || !isAmount(maxFee)) return undefined
  if (!isCount(issuedAt) || !isCount(expiresAt)) return undefined
  if (!Array.isArray(initiators) || !initiators.every(isText)) return undefined
  const approved = approvals.flatMap(({ at, by }) =>
    isCount(at) && isText(by) ? [{ by, at }] : [],
  )
  if (approved.length !== approvals.length) return undefined
  const numbers = { policyVersion, tipHeight, maxFee: BigInt(maxFee), issuedAt, expiresAt }
  const texts = { psbt, spend, descriptor, txHash, nonce }
  return { ...texts, ...numbers, payments, approvals: approved, initiators }
}

/** The one text of a receipt: members in the order of their names. */
const print = (receipt: Receipt): string =>
  JSON.stringify({
    approvals: receipt.approvals.map(({ at, by }) => ({ at, by })),
    descriptor: receipt.descriptor,
    expires_at: receipt.expiresAt,
    initiators: receipt.initiators,
    issued_at: receipt.issuedAt,
    max_fee_sat: Number(receipt.maxFee),
    nonce: receipt.nonce,
    payments: receipt.payments.map(({ amount, script, withdrawal }) => ({
      amount_sat: Number(amount),
      script: toHex(script),
      withdrawal,
    })),
    policy_version: receipt.policyVersion,
    psbt: receipt.psbt,
    spend: receipt.spend,
    tip_height: receipt.tipHeight,
    tx_hash: receipt.txHash,
    version: 1,
  })
