import { sha256 } from '@noble/hashes/sha2.js'
import {
  isPrintable,
  isText,
  type Json,
  MAX_SAT,
  metadataFault,
  type Network,
  ok,
  type Refusal,
  type Result,
  refuse,
  type Sat,
  type SatPerKvB,
  sat,
  satPerKvB,
  toHex,
  type WalletId,
} from '../../kernel/index.ts'
import { type Address, checkDestination, parseAddress } from '../../protocol/address/index.ts'
import { dustThreshold } from '../../protocol/amounts/index.ts'
import { canonicalJson } from '../audit/index.ts'
import type { FeePayer, Speed, WithdrawalRecord } from './ports.ts'

/** What a caller asks for. */
export interface WithdrawalInput {
  readonly wallet: WalletId
  /** The client's own id. For ever: the same one and the same contents give the same withdrawal. */
  readonly externalId: string
  readonly address: string
  /** Satoshi. */
  readonly amount: Sat
  /** Default `platform`. */
  readonly feePayer?: FeePayer
  /** Default: priority `normal`. */
  readonly speed?: Speed
  /** The most that its share of the fee may be, satoshi. Default by the amount, see `WithdrawalRules`. */
  readonly maxFee?: Sat
  /** The most that a transaction which pays it may pay, satoshi per 1000 vbytes. */
  readonly maxRate?: SatPerKvB
  /** Whose account is debited, a customer or an order without one; absent: the platform's own means. */
  readonly customer?: string
  /** Who withdraws, for limits by person. */
  readonly user?: string
  readonly description?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Takes an address of a witness version that nobody can protect yet. */
  readonly allowUnknownWitness?: boolean
  /** Takes an address of the paying wallet. */
  readonly allowOwnAddress?: boolean
}

/** Defaults and bounds of requests, the same for all of an engine. */
export interface WithdrawalRules {
  /** A share above this is refused whatever a request says, satoshi. */
  readonly mostFee: Sat
  /** A rate above this is refused whatever a request says, satoshi per 1000 vbytes. */
  readonly mostRate: SatPerKvB
  /** Default of `maxFee`: this share of the amount in parts per million, … */
  readonly feePpm: number
  /** … but at least this, satoshi. */
  readonly leastMaxFee: Sat
  /** Default of `maxRate`, satoshi per 1000 vbytes. */
  readonly usualMaxRate: SatPerKvB
  /** What a wallet's means hold for the fee of one request at most, satoshi. */
  readonly feeAllowance: Sat
}
export const DEFAULT_RULES: WithdrawalRules = {
  mostFee: sat(10_000_000n),
  mostRate: satPerKvB(2_000_000n),
  feePpm: 20_000,
  leastMaxFee: sat(20_000n),
  usualMaxRate: satPerKvB(500_000n),
  feeAllowance: sat(20_000n),
}

export type InputRefusal = Refusal<
  | 'FIELD_INVALID'
  | 'WITHDRAWAL_AMOUNT_DUST'
  | 'WITHDRAWAL_FEE_LIMIT'
  | 'AMOUNT_INVALID'
  | 'ADDRESS_INVALID'
  | 'ADDRESS_CHECKSUM'
  | 'ADDRESS_NETWORK'
  | 'ADDRESS_UNSPENDABLE'
>

/** A request whose form is right: everything that can be known without the store. */
export type CheckedRequest = Pick<
  WithdrawalRecord,
  | 'wallet'
  | 'externalId'
  | 'digest'
  | 'address'
  | 'script'
  | 'amount'
  | 'feePayer'
  | 'speed'
  | 'maxFee'
  | 'maxRate'
  | 'customer'
  | 'user'
  | 'description'
  | 'metadata'
> & { readonly allowOwnAddress: boolean }

const wrong = (param: string, reason: string): { ok: false; error: Refusal<'FIELD_INVALID'> } =>
  refuse('FIELD_INVALID', `${param} ${reason}`, { param })
const NAME = 'must have 1 to 255 printable characters'
/** As long as a deadline may lie ahead: what is later says nothing. */
const MOST_AHEAD_MS = 366 * 24 * 60 * 60 * 1000

/** What a request is known by, whatever the clock and the configuration say today. */
export interface Identity {
  readonly digest: string
  readonly address: Address
}
/** Whoever asks for the same again is answered by this before anything that changes with time is judged. */
export function identify(input: WithdrawalInput, network: Network): Result<Identity, InputRefusal> {
  const named = checkNames(input)
  if (!named.ok) return named
  if (typeof input.amount !== 'bigint')
    return refuse('AMOUNT_INVALID', 'the amount is not a bigint of satoshis', {
      param: 'amount_sat',
    })
  const address = parseDestination(input, network)
  if (!address.ok) return address
  return ok({ digest: digestOf(input, address.value.text), address: address.value })
}

/** @param now milliseconds since the epoch: a deadline lies after it */
export function checkInput(
  input: WithdrawalInput,
  { digest, address }: Identity,
  rules: WithdrawalRules,
  now: number,
): Result<CheckedRequest, InputRefusal> {
  const { text, script } = address
  const amount = checkAmount(input, script)
  if (!amount.ok) return amount
  const ceilings = checkCeilings(input, rules)
  if (!ceilings.ok) return ceilings
  const speed = checkSpeed(input.speed ?? { kind: 'priority', priority: 'normal' }, rules, now)
  if (!speed.ok) return speed
  if (speed.value.kind === 'rate' && speed.value.rate > ceilings.value.maxRate)
    return wrong('fee_rate_sat_kvb', 'is above the ceiling of the rate')
  const { wallet, externalId, customer, user, description } = input
  return ok({
    wallet,
    externalId,
    digest,
    address: text,
    script,
    amount: amount.value,
    feePayer: input.feePayer ?? 'platform',
    speed: speed.value,
    ...ceilings.value,
    ...(customer === undefined ? {} : { customer }),
    ...(user === undefined ? {} : { user }),
    ...(description === undefined ? {} : { description }),
    metadata: input.metadata ?? {},
    allowOwnAddress: input.allowOwnAddress ?? false,
  })
}

/**
 * SHA-256, hex, over the request in canonical form (RFC 8785). Defaults that an engine may change one day are not part of
 * it: a client that asks again after years asks for the same.
 */
function digestOf(input: WithdrawalInput, address: string): string {
  const { speed = { kind: 'priority', priority: 'normal' } as const } = input
  const optional: Readonly<Record<string, Json | undefined>> = {
    max_fee_sat: input.maxFee === undefined ? undefined : Number(input.maxFee),
    max_fee_rate_sat_kvb: input.maxRate === undefined ? undefined : Number(input.maxRate),
    customer: input.customer,
    user: input.user,
    description: input.description,
    allow_unknown_witness: input.allowUnknownWitness === true ? true : undefined,
    allow_own_address: input.allowOwnAddress === true ? true : undefined,
  }
  const given = Object.entries(optional).filter(([, value]) => value !== undefined)
  const body: Json = {
    wallet: input.wallet,
    external_id: input.externalId,
    address,
    amount_sat: Number(input.amount),
    fee_payer: input.feePayer ?? 'platform',
    speed: speed.kind === 'rate' ? { kind: 'rate', rate: Number(speed.rate) } : speed,
    metadata: input.metadata ?? {},
    ...(Object.fromEntries(given) as { [key: string]: Json }),
  }
  return toHex(sha256(new TextEncoder().encode(canonicalJson(body))))
}

function checkNames(input: WithdrawalInput): Result<undefined, InputRefusal> {
  const { externalId, customer, user, description, metadata, feePayer } = input
  if (typeof externalId !== 'string' || !isPrintable(externalId, 255))
    return wrong('external_id', NAME)
  if (customer !== undefined && (!isPrintable(customer, 255) || customer.includes('/')))
    return wrong('customer', `${NAME} and no slash`)
  if (user !== undefined && !isPrintable(user, 255)) return wrong('user', NAME)
  if (description !== undefined && !isText(description, 1000))
    return wrong('description', 'is longer than 1000 characters or has control characters')
  const fault = metadataFault(metadata ?? {})
  if (fault !== undefined) return wrong('metadata', `cannot be kept: ${fault}`)
  const isPayer =
    feePayer === undefined ||
    feePayer === 'platform' ||
    feePayer === 'customer' ||
    feePayer === 'recipient'
  if (!isPayer) return wrong('fee_payer', 'is platform, customer or recipient')
  if (feePayer === 'customer' && customer === undefined)
    return wrong('fee_payer', 'can be customer only where a customer is named')
  return ok(undefined)
}

function parseDestination(
  { address, allowUnknownWitness }: WithdrawalInput,
  network: Network,
): Result<Address, InputRefusal> {
  if (typeof address !== 'string')
    return refuse('ADDRESS_INVALID', 'the address is no text', { param: 'address' })
  const parsed = parseAddress(address, network)
  if (!parsed.ok) return parsed
  const isAllowed = allowUnknownWitness === true && parsed.value.type === 'witness_unknown'
  return isAllowed ? parsed : checkDestination(parsed.value)
}

function checkAmount({ amount }: WithdrawalInput, script: Uint8Array): Result<Sat, InputRefusal> {
  const least = dustThreshold(script)
  if (amount < least || amount > MAX_SAT)
    return refuse('WITHDRAWAL_AMOUNT_DUST', `this address takes ${least} sat or more`, {
      param: 'amount_sat',
      details: { least: Number(least) },
    })
  return ok(amount)
}

function checkCeilings(
  { amount, maxFee, maxRate }: WithdrawalInput,
  rules: WithdrawalRules,
): Result<{ readonly maxFee: Sat; readonly maxRate: SatPerKvB }, InputRefusal> {
  const { mostFee, mostRate, feePpm, leastMaxFee, usualMaxRate } = rules
  const no = (param: string, most: bigint) =>
    refuse('WITHDRAWAL_FEE_LIMIT', `${param} must be 1 to ${most}`, {
      param,
      details: { most: Number(most) },
    })
  if (maxFee !== undefined && !(typeof maxFee === 'bigint' && maxFee > 0n && maxFee <= mostFee))
    return no('max_fee_sat', mostFee)
  const isRate = typeof maxRate === 'bigint' && maxRate > 0n && maxRate <= mostRate
  if (maxRate !== undefined && !isRate) return no('max_fee_rate_sat_kvb', mostRate)
  const share = (amount * BigInt(feePpm)) / 1_000_000n
  const usual = share > leastMaxFee ? share : leastMaxFee
  return ok({
    maxFee: maxFee ?? sat(usual < mostFee ? usual : mostFee),
    maxRate: maxRate ?? (usualMaxRate < mostRate ? usualMaxRate : mostRate),
  })
}

/** The house's own ceiling holds for a transaction that is bumped as well: so much for each payout in it, whoever asks. */
export function aboveMostFee(
  { mostFee }: Pick<WithdrawalRules, 'mostFee'>,
  maxFee: Sat | undefined,
  payouts = 1,
): Result<never, Refusal<'WITHDRAWAL_FEE_LIMIT'>> | undefined {
  const most = mostFee * BigInt(Math.max(1, payouts))
  if (maxFee === undefined || (maxFee > 0n && maxFee <= most)) return undefined
  return refuse('WITHDRAWAL_FEE_LIMIT', `max_fee_sat must be 1 to ${most}`, {
    param: 'max_fee_sat',
    details: { most: Number(most) },
  })
}

function checkSpeed(
  speed: Speed,
  { mostRate }: WithdrawalRules,
  now: number,
): Result<Speed, InputRefusal> {
  switch (speed.kind) {
    case 'priority': {
      const { priority } = speed
      if (priority === 'low' || priority === 'normal' || priority === 'high')
        return ok({ kind: 'priority', priority })
      return wrong('priority', 'is low, normal or high')
    }
    case 'rate': {
      const { rate } = speed
      if (typeof rate === 'bigint' && rate > 0n && rate <= mostRate)
        return ok({ kind: 'rate', rate })
      return wrong('fee_rate_sat_kvb', `must be 1 to ${mostRate}`)
    }
    case 'deadline': {
      const { at } = speed
      if (Number.isSafeInteger(at) && at > now && at <= now + MOST_AHEAD_MS)
        return ok({ kind: 'deadline', at })
      return wrong('deadline', 'must lie ahead, and at most a year')
    }
    default:
      return wrong('priority', 'says how soon: a priority, a rate or a deadline')
  }
}
