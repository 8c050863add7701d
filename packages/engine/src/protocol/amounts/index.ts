export {
  type AmountRefusal,
  coreAmount,
  formatCoreAmount,
  parseCoreAmount,
  parseCoreMovement,
} from './core-number.ts'
export { DEFAULT_DUST_RATE, dustThreshold } from './dust.ts'
export { type FeeRateRefusal, feeForVsize, parseCoreFeeRate, parseFeeRate } from './fee-rate.ts'
export { parseTypedMoney } from './typed-money.ts'
