import type { FeeFloor, FeeReport } from '@kaccy/bitcoin/chain'
import type { BlockRef, Network } from '@kaccy/bitcoin/kernel'
import type { ChainJson, FeesJson } from '../schemas/chain.ts'
import { time } from './basics.ts'

export const chainJson = (
  network: Network,
  tip: (BlockRef & { readonly time: number }) | undefined,
): ChainJson => ({
  network,
  tip: tip ? { height: tip.height, hash: tip.hash, time: tip.time } : null,
})

const floorJson = (floor: FeeFloor | undefined) =>
  floor ? { rate_sat_kvb: Number(floor.rate), source: floor.source } : null

export const feesJson = (report: FeeReport): FeesJson => ({
  estimates: report.estimates.map(({ target, blocks, mode, rate, source }) => ({
    target,
    blocks,
    mode,
    fee_rate_sat_kvb: Number(rate),
    source,
  })),
  mempool_minimum: floorJson(report.mempoolMinimum),
  relay_minimum: floorJson(report.relayMinimum),
  at: time(report.at),
})
