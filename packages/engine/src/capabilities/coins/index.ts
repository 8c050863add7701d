export { type CandidatesTx, candidatesOf, MOST_CANDIDATES } from './candidates.ts'
export {
  DEFAULT_SPEND_POLICY,
  type Means,
  type MeansTx,
  meansOf,
  type SpendPolicy,
} from './means.ts'
export type * from './ports.ts'
export {
  type Coins,
  type CoinsDeps,
  type CoinsTx,
  createCoins,
  type FreezeRefusal,
  type FundsLayers,
  layersOf,
} from './service.ts'
