import { MAX_TARGET } from '../mempool/estimator.ts'
import type { RateRange } from '../mempool/horizon.ts'
import { rpcError } from './errors.ts'
import type { Json } from './json.ts'
import { int32Argument, type Method, method, type RpcContext } from './method.ts'

const NO_DATA = 'Insufficient data or no feerate found'
const MODES = ['unset', 'economical', 'conservative']

function targetArgument(value: unknown): number {
  const target = int32Argument(value)
  if (target >= 1 && target <= MAX_TARGET) return target
  const fault = `Invalid conf_target, must be between 1 and ${MAX_TARGET}`
  throw rpcError('invalidParameter', fault)
}
function isConservative(mode: unknown): boolean {
  if (mode === undefined) return false
  const name = String(mode).toLowerCase()
  if (MODES.includes(name)) return name === 'conservative'
  const names = MODES.map((known) => `"${known}"`).join(', ')
  throw rpcError('invalidParameter', `Invalid estimate_mode parameter, must be one of: ${names}`)
}
function smartFee({ posture, regtest }: RpcContext, [value, mode]: readonly unknown[]): Json {
  const target = targetArgument(value)
  const conservative = isConservative(mode)
  const { estimator, minFeeRate } = regtest.mempool
  const { feeRate } = posture
  const { rate, blocks } =
    feeRate === undefined
      ? estimator.smart(target, conservative)
      : feeRate === 'unknown'
        ? { rate: undefined, blocks: 0 }
        : { rate: feeRate, blocks: target }
  if (rate === undefined) return { errors: [NO_DATA], blocks }
  return { feerate: rate > minFeeRate ? rate : minFeeRate, blocks }
}

const hundredths = (value: number): number => Math.round(value * 100) / 100
const rangeView = (range: RateRange): Json => ({
  startrange: Math.round(range.start),
  endrange: Math.round(range.end),
  withintarget: hundredths(range.withinTarget),
  totalconfirmed: hundredths(range.totalConfirmed),
  inmempool: hundredths(range.inMempool),
  leftmempool: hundredths(range.leftMempool),
})
function rawFee({ regtest }: RpcContext, [value, threshold]: readonly unknown[]): Json {
  const target = targetArgument(value)
  const success = threshold === undefined ? 0.95 : Number(threshold)
  if (!(success >= 0 && success <= 1)) throw rpcError('invalidParameter', 'Invalid threshold')
  const horizons = regtest.mempool.estimator.raw(target, success)
  return Object.fromEntries(
    horizons.map(({ rules, rate, pass, fail }) => {
      const { name, decay, scale } = rules
      if (rate === undefined) {
        const errors = [`${NO_DATA} which meets threshold`]
        return [name, { decay, scale, fail: rangeView(fail), errors }]
      }
      const feerate = BigInt(Math.round(rate))
      const failed = fail.start === -1 ? {} : { fail: rangeView(fail) }
      return [name, { feerate, decay, scale, pass: rangeView(pass), ...failed }]
    }),
  )
}

export const feeMethods: readonly Method[] = [
  method('estimatesmartfee', ['conf_target:number', 'estimate_mode:string?'], smartFee),
  method('estimaterawfee', ['conf_target:number', 'threshold:number?'], rawFee),
]
