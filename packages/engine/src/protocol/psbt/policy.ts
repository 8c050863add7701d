import type { Sat, SatPerKvB } from '../../kernel/index.ts'
import type { Descriptor } from '../descriptor/index.ts'

/** Why a careful signer refuses. Closed list. */
export type PsbtFaultReason =
  /** Not a PSBT, or not one that can be read in one way only. */
  | 'malformed'
  | 'too_large'
  | 'version'
  /** An amount outside 0 to 21 million BTC, or a sum above it. */
  | 'amount_range'
  /** An input says nothing about the coin that it spends. */
  | 'utxo_missing'
  /** The two things that an input says about its coin contradict each other. */
  | 'utxo_mismatch'
  /** A coin without witness is described by a witness output: its amount would not be signed. */
  | 'utxo_kind'
  | 'previous_tx_required'
  | 'previous_tx_mismatch'
  /** Redeem script, witness script or internal key do not make the script of the coin. */
  | 'script_mismatch'
  /** The input lacks a script or key that signers need. */
  | 'script_missing'
  /** A script of a kind that is not signed here. */
  | 'script_unknown'
  | 'duplicate_input'
  | 'foreign_input'
  | 'foreign_signature'
  | 'signature_invalid'
  | 'foreign_xpub'
  | 'sighash'
  /** The lock time lies in the future: the transaction could not be sent now. */
  | 'locktime'
  /** An output that is neither asked for nor proven ours. */
  | 'unknown_output'
  | 'request_mismatch'
  | 'change_not_ours'
  /** Ours, on a path where nobody would look for it. */
  | 'change_path'
  | 'dust'
  | 'negative_fee'
  | 'fee_too_high'
  | 'fee_too_low'

export interface PsbtFault {
  readonly reason: PsbtFaultReason
  /** For people; says the figures. */
  readonly message: string
  readonly input?: number
  readonly output?: number
}

/** A payment that was asked for: this script gets exactly this amount. */
export interface PaymentRequest {
  readonly script: Uint8Array
  readonly amount: Sat
}

/** What a PSBT is held against. All of it comes from our own books, nothing from the file. */
export interface PsbtPolicy {
  /** The wallet that pays: its registered descriptors. Coins and change of any of them are ours. */
  readonly wallet: readonly Descriptor[]
  /** All payments, and nothing else, that the transaction has to make. */
  readonly requests: readonly PaymentRequest[]
  /** Ceiling of the fee in satoshi. */
  readonly maxFee: Sat
  /** Ceiling and floor of the fee rate, satoshi per 1000 virtual bytes of the signed transaction. */
  readonly maxFeeRate: SatPerKvB
  readonly minFeeRate: SatPerKvB
  /** What the network takes for dust; 3000 by default. */
  readonly dustRate?: SatPerKvB
  /** Height of the best block: lock times above it are refused. */
  readonly tipHeight: number
  /** Median time past of the best block in seconds; without it every lock time in seconds is refused. */
  readonly tipTime?: number
  /** Branch of the descriptors where change belongs; 1 by default, 0 for descriptors of one branch. */
  readonly changeBranch?: number
  /** The highest index on the change branch that will be found again. */
  readonly changeIndexMax: number
  /** False lets segwit v0 inputs do without the previous transaction; for signers whose coins our own node has shown us. */
  readonly requirePrevious?: boolean
}
