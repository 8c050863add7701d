export type { CandidateCoin } from './coin.ts'
export { CoinPool, preparePool } from './pool.ts'
export { selectCoins } from './select.ts'
export {
  type ChangeShape,
  changeShape,
  DEFAULT_MAX_WEIGHT,
  DEFAULT_RELAY_RATE,
  type PlannedPayment,
  type Selection,
  type SelectionAlgorithm,
  type SelectionCode,
  type SelectionRefusal,
  type SelectionRequest,
} from './selection.ts'
export {
  type InputShape,
  inputShape,
  inputWeight,
  outputWeight,
  type SignatureSize,
  type TransactionShape,
  transactionWeight,
} from './weight.ts'
