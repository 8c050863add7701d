import {
  isPrintable,
  isText,
  MAX_SAT,
  metadataFault,
  ok,
  type Refusal,
  type Result,
  refuse,
  type Sat,
  type WalletId,
} from '../../kernel/index.ts'
import { EXACT, parseThresholds } from './policy.ts'
import type { Thresholds, Tolerance } from './ports.ts'
import type { PriceInput } from './price.ts'

/** What a caller asks for; the service adds id, address and times. */
export interface OrderInput {
  readonly wallet: WalletId
  /** Satoshi. Undefined makes an open deposit address: every payment is credited. */
  readonly amount?: Sat
  /** Instead of `amount`: what it costs in a currency. The engine's rate source makes satoshi of it, rounded up. */
  readonly price?: PriceInput
  /** The caller's own id: the same one gives the same order, for ever. */
  readonly externalId?: string
  /** The platform's id of who is credited. Undefined: the order itself is. */
  readonly customer?: string
  /** Milliseconds. Default one hour; an open deposit address never expires unless told to. */
  readonly expiresInMs?: number
  readonly tolerance?: Tolerance
  readonly thresholds?: Partial<Thresholds>
  readonly description?: string
  readonly metadata?: Readonly<Record<string, string>>
}
export interface CheckedInput {
  readonly thresholds: Thresholds
  readonly tolerance: Tolerance
  readonly metadata: Readonly<Record<string, string>>
  readonly expiresInMs: number | undefined
}
export type InputRefusal = Refusal<
  | 'AMOUNT_INVALID'
  | 'ORDER_AMOUNT_DUST'
  | 'ORDER_THRESHOLDS_INVALID'
  | 'ORDER_TOLERANCE_INVALID'
  | 'ORDER_EXPIRY_INVALID'
  | 'ORDER_METADATA_INVALID'
  | 'ORDER_CUSTOMER_INVALID'
  | 'ORDER_EXTERNAL_ID_INVALID'
>

export const DEFAULT_EXPIRY_MS = 60 * 60 * 1000
const LEAST_EXPIRY_MS = 60 * 1000
const MOST_EXPIRY_MS = 10 * 366 * 24 * 60 * 60 * 1000

function checkNames({ externalId, customer }: OrderInput): InputRefusal | undefined {
  if (externalId !== undefined && !isPrintable(externalId, 255))
    return refuse(
      'ORDER_EXTERNAL_ID_INVALID',
      'external_id must have 1 to 255 printable characters',
      { param: 'external_id' },
    ).error
  const usable = (name: string) =>
    isPrintable(name, 255) && !name.includes('/') && !name.startsWith('ord_')
  if (customer !== undefined && !usable(customer))
    return refuse(
      'ORDER_CUSTOMER_INVALID',
      'customer must have 1 to 255 printable characters, no slash, and not begin with ord_',
      { param: 'customer' },
    ).error
  return undefined
}

function checkTolerance({ amount, tolerance }: OrderInput): InputRefusal | undefined {
  if (!tolerance) return undefined
  const no = (message: string) =>
    refuse('ORDER_TOLERANCE_INVALID', message, { param: 'tolerance' }).error
  if (amount === undefined) return no('an order without amount can have no tolerance')
  if (tolerance.kind === 'absolute')
    return tolerance.sat >= 0n && tolerance.sat < amount
      ? undefined
      : no('an absolute tolerance is zero or more, and below the amount')
  const { ppm } = tolerance
  const share = Number.isSafeInteger(ppm) && ppm >= 0 && ppm < 1_000_000
  return share ? undefined : no('a relative tolerance is 0 to 999,999 parts per million')
}

function checkMetadata({ metadata, description }: OrderInput): InputRefusal | undefined {
  const no = (message: string, param: string) =>
    refuse('ORDER_METADATA_INVALID', message, { param }).error
  if (description !== undefined && !isText(description, 1000))
    return no(
      'the description is longer than 1000 characters or has control characters',
      'description',
    )
  const fault = metadataFault(metadata ?? {})
  return fault === undefined ? undefined : no(fault, 'metadata')
}

function checkExpiry(input: OrderInput): Result<number | undefined, InputRefusal> {
  const { expiresInMs, amount } = input
  if (expiresInMs === undefined) return ok(amount === undefined ? undefined : DEFAULT_EXPIRY_MS)
  const usable =
    Number.isSafeInteger(expiresInMs) &&
    expiresInMs >= LEAST_EXPIRY_MS &&
    expiresInMs <= MOST_EXPIRY_MS
  if (usable) return ok(expiresInMs)
  return refuse('ORDER_EXPIRY_INVALID', 'an order expires after one minute to ten years', {
    param: 'expires_in',
  })
}

/** Everything about a request that can be judged without the store. @param dust least amount a node relays, satoshi */
export function checkInput(input: OrderInput, dust: Sat): Result<CheckedInput, InputRefusal> {
  const { amount } = input
  if (amount !== undefined && typeof amount !== 'bigint')
    return refuse('AMOUNT_INVALID', 'the amount is not a bigint of satoshis', {
      param: 'amount_sat',
    })
  if (amount !== undefined && (amount < dust || amount > MAX_SAT))
    return refuse('ORDER_AMOUNT_DUST', `the amount must be ${dust} sat or more to be payable`, {
      param: 'amount_sat',
      details: { least: Number(dust) },
    })
  const wrong = checkNames(input) ?? checkTolerance(input) ?? checkMetadata(input)
  if (wrong) return { ok: false, error: wrong }
  const thresholds = parseThresholds(input.thresholds)
  if (!thresholds.ok) return thresholds
  const expiresInMs = checkExpiry(input)
  if (!expiresInMs.ok) return expiresInMs
  return ok({
    thresholds: thresholds.value,
    tolerance: input.tolerance ?? EXACT,
    metadata: input.metadata ?? {},
    expiresInMs: expiresInMs.value,
  })
}
