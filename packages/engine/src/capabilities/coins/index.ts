export {
  DEFAULT_SPEND_POLICY,
  type Means,
  type MeansTx,
  meansOf,
  type SpendPolicy,
} from './means.ts'
export type * from './ports.ts'
export type { Coins, CoinsDeps, CoinsTx, FreezeRefusal, FundsLayers } from './service.ts'
