import { MIN_RELAY_FEE_RATE } from '../mempool/policy.ts'
import type { Wallet } from './wallet.ts'

/** What a wallet pays when the node estimates nothing: 20 satoshi per vbyte. Satoshi per 1000 vbytes, as all rates here. */
export const FALLBACK_RATE = 20_000n
/** Above this rate an output that costs more to spend than it holds is left to the miner. Core's default. */
export const DISCARD_RATE = 10_000n
/** 0.1 BTC: no transaction of a wallet pays more. Core's default. */
export const MAX_FEE = 10_000_000n
/** Core's wallets raise by at least this much. */
export const WALLET_INCREMENT = 5000n
const DUST_RATE = 3000n

export type RateReason =
  | 'PayTxFee set'
  | 'Fallback fee'
  | 'Minimum Required Fee'
  | 'Mempool Min Fee'
  | 'Half Target 60% Threshold'
export interface RateChoice {
  readonly rate: bigint
  readonly reason: RateReason
}
/** The rate a transaction pays. `asked` is the caller's; `override` lets it fall below the floor. */
export function chooseRate(
  wallet: Wallet,
  asked: bigint | undefined,
  override = false,
): RateChoice {
  const { regtest, feeRate } = wallet.host
  if (asked !== undefined && override) return { rate: asked, reason: 'PayTxFee set' }
  let choice: RateChoice
  if (asked !== undefined) choice = { rate: asked, reason: 'PayTxFee set' }
  else if (wallet.payRate > 0n) choice = { rate: wallet.payRate, reason: 'PayTxFee set' }
  else {
    const estimate = feeRate()
    choice =
      estimate === undefined
        ? { rate: FALLBACK_RATE, reason: 'Fallback fee' }
        : { rate: estimate, reason: 'Half Target 60% Threshold' }
    const floor = regtest.mempool.minFeeRate
    if (choice.rate < floor) choice = { rate: floor, reason: 'Mempool Min Fee' }
  }
  if (choice.rate >= MIN_RELAY_FEE_RATE) return choice
  return { rate: MIN_RELAY_FEE_RATE, reason: 'Minimum Required Fee' }
}
export function discardRate(wallet: Wallet): bigint {
  const estimate = wallet.host.feeRate() ?? DISCARD_RATE
  const rate = estimate < DISCARD_RATE ? estimate : DISCARD_RATE
  return rate > DUST_RATE ? rate : DUST_RATE
}
/** `1.000 sat/vB`, as Core's messages write a rate. */
export const rateText = (rate: bigint): string =>
  `${rate / 1000n}.${(rate % 1000n).toString().padStart(3, '0')} sat/vB`
/** Satoshi as Core's messages write money: at least two decimals. */
export function moneyText(value: bigint): string {
  const size = value < 0n ? -value : value
  const decimals = (size % 100_000_000n).toString().padStart(8, '0')
  const short = decimals.replace(/0{1,6}$/, '')
  return `${value < 0n ? '-' : ''}${size / 100_000_000n}.${short}`
}
