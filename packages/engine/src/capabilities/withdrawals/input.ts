import type { Refusal, Sat, SatPerKvB, WalletId } from '../../kernel/index.ts'
import type { FeePayer, Speed } from './ports.ts'

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
  /** Whose account is debited; absent: the platform's own means. */
  readonly customer?: string
  /** Who withdraws, for limits by person. */
  readonly user?: string
  readonly description?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Takes an address of a witness version that nobody can protect yet. */
  readonly allowUnknownWitness?: boolean
  /** Takes an address of the same wallet. */
  readonly allowOwnAddress?: boolean
}
/** Defaults and bounds of requests, the same for all of an engine. */
export interface WithdrawalRules {
  /** A fee above this is refused whatever a request says, satoshi. */
  readonly mostFee: Sat
  /** A rate above this is refused whatever a request says, satoshi per 1000 vbytes. */
  readonly mostRate: SatPerKvB
  /** Default of `maxFee`: this share of the amount in parts per million, … */
  readonly feePpm: number
  /** … but at least this, satoshi. */
  readonly leastMaxFee: Sat
  /** What a wallet's means hold for the fee of one request at most, satoshi. */
  readonly feeAllowance: Sat
}
export type InputRefusal = Refusal<
  | 'WITHDRAWAL_FIELD_INVALID'
  | 'WITHDRAWAL_AMOUNT_DUST'
  | 'WITHDRAWAL_ADDRESS_OWN'
  | 'WITHDRAWAL_FEE_LIMIT'
  | 'AMOUNT_INVALID'
  | 'ADDRESS_INVALID'
  | 'ADDRESS_CHECKSUM'
  | 'ADDRESS_NETWORK'
  | 'ADDRESS_UNSPENDABLE'
>
