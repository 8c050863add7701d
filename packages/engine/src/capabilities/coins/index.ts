export { type CandidatesTx, candidatesOf, MOST_CANDIDATES } from './candidates.ts'
export {
  DEFAULT_SPEND_POLICY,
  type Means,
  type MeansTx,
  meansOf,
  type SpendPolicy,
} from './means.ts'
export type * from './ports.ts'
export { type Coins, createCoins, type FundsLayers, layersOf } from './service.ts'
export type { CoinsDeps, CoinsTx, FreezeRefusal } from './transaction.ts'
