import { ancestorAt, type BlockNode, type Coin } from './node.ts'
import { NULL_HASH, type Transaction } from './transaction.ts'

/** A rule said no: Core's reject reason, and its detail after the comma. */
export interface Rejection {
  readonly reason: string
  readonly detail?: string
  /** The fault lies in what the hash does not cover: the true block or transaction may still come. */
  readonly bent?: boolean
}
export const reject = (reason: string, detail?: string): Rejection =>
  detail === undefined ? { reason } : { reason, detail }
/** As `sendrawtransaction` prints it. */
export const rejectionText = ({ reason, detail }: Rejection): string =>
  detail === undefined ? reason : `${reason}, ${detail}`

const MAX_MONEY = 2_100_000_000_000_000n
export const COINBASE_MATURITY = 100
export const inMoneyRange = (value: bigint): boolean => value >= 0n && value <= MAX_MONEY

/** The rules a transaction meets or breaks by itself. Source: Core's CheckTransaction. */
export function checkTransaction(transaction: Transaction): Rejection | undefined {
  const { inputs, outputs } = transaction
  if (inputs.length === 0) return reject('bad-txns-vin-empty')
  if (outputs.length === 0) return reject('bad-txns-vout-empty')
  if (transaction.strippedSize * 4 > 4_000_000) return reject('bad-txns-oversize')
  let total = 0n
  for (const { value } of outputs) {
    if (value < 0n) return reject('bad-txns-vout-negative')
    if (value > MAX_MONEY) return reject('bad-txns-vout-toolarge')
    total += value
    if (total > MAX_MONEY) return reject('bad-txns-txouttotal-toolarge')
  }
  if (inputs.length > 1 && new Set(inputs.map((input) => input.key)).size !== inputs.length) {
    return reject('bad-txns-inputs-duplicate')
  }
  if (transaction.isCoinbase) {
    const size = inputs[0]?.script.length ?? 0
    return size < 2 || size > 100 ? reject('bad-cb-length') : undefined
  }
  const isNull = inputs.some((input) => input.vout === 0xffffffff && input.txid === NULL_HASH)
  return isNull ? reject('bad-txns-prevout-null') : undefined
}

/** Absolute lock time against the median time of the block before. Source: BIP 113. */
export function isFinal(transaction: Transaction, height: number, medianTime: number): boolean {
  const { locktime } = transaction
  if (locktime === 0) return true
  if (locktime < (locktime < 500_000_000 ? height : medianTime)) return true
  return transaction.inputs.every((input) => input.sequence === 0xffffffff)
}

/** Relative lock times, for a block on top of `prev`. `heights` are those of the spent coins. Source: BIP 68. */
export function sequenceLocksHold(
  transaction: Transaction,
  heights: readonly number[],
  prev: BlockNode,
): boolean {
  if (transaction.version < 2) return true
  let minHeight = -1
  let minTime = -1
  transaction.inputs.forEach((input, i) => {
    if (input.sequence >= 0x80000000) return
    const height = heights[i] ?? 0
    const value = input.sequence & 0xffff
    if ((input.sequence & (1 << 22)) !== 0) {
      const from = ancestorAt(prev, Math.max(height - 1, 0))
      minTime = Math.max(minTime, (from?.medianTime ?? 0) + value * 512 - 1)
    } else minHeight = Math.max(minHeight, height + value - 1)
  })
  return minHeight < prev.height + 1 && minTime < prev.medianTime
}

/** Maturity and amounts. Returns the fee or the rejection. Source: Core's CheckTxInputs. */
export function checkAmounts(
  transaction: Transaction,
  spent: readonly Coin[],
  height: number,
): bigint | Rejection {
  let into = 0n
  for (const coin of spent) {
    const depth = height - coin.height
    if (coin.coinbase && depth < COINBASE_MATURITY) {
      return reject(
        'bad-txns-premature-spend-of-coinbase',
        `tried to spend coinbase at depth ${depth}`,
      )
    }
    into += coin.value
    if (!inMoneyRange(coin.value) || !inMoneyRange(into)) {
      return reject('bad-txns-inputvalues-outofrange')
    }
  }
  let out = 0n
  for (const output of transaction.outputs) out += output.value
  if (into < out) {
    return reject(
      'bad-txns-in-belowout',
      `value in (${formatMoney(into)}) < value out (${formatMoney(out)})`,
    )
  }
  return into - out
}

/** Core's short form of an amount: at least two decimals, no trailing zeros beyond. */
export function formatMoney(value: bigint): string {
  const size = value < 0n ? -value : value
  const decimals = (size % 100_000_000n).toString().padStart(8, '0')
  return `${value < 0n ? '-' : ''}${size / 100_000_000n}.${decimals.replace(/0{1,6}$/, '')}`
}
