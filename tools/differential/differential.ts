import { createDevnetInProcess } from '@kaccy/devnet'
import { findBitcoind, startBitcoind } from '../../test/counterparts/bitcoind.ts'
import { findBtcd, startBtcd } from '../../test/counterparts/btcd.ts'
import type { TestNode } from '../../test/counterparts/node.ts'
import { Campaign, type CampaignSize } from './campaign.ts'
import { nodeSide } from './nodes.ts'
import { type Finding, Pair } from './pair.ts'

export interface DifferentialOptions extends CampaignSize {
  readonly seed: number
  readonly node: 'btcd' | 'core'
  /** Time of the first block. With another one the same seed gives other bytes. */
  readonly start: number
}
export interface DifferentialReport {
  readonly seed: number
  readonly start: number
  readonly node: string
  readonly seconds: number
  readonly counts: Readonly<Record<string, number>>
  /** Differences that `differences.ts` names, by how often they were seen. */
  readonly named: Readonly<Record<string, number>>
  readonly findings: readonly Finding[]
}
/** An old start must not make the node think that it is behind; with several script threads it would not say which one failed. */
const CORE_ARGS = ['-maxtipage=2000000000', '-persistmempool=0', '-par=1']

const HOUR = 3600
/** Some hours ago, the same within one hour: btcd keeps its mempool in step only while its tip is younger than a day. */
export const usualStart = (): number => Math.floor(Date.now() / 1000 / HOUR) * HOUR - 20 * HOUR

/** One run against one node. `missing` says why the node could not be started. */
export async function differential(
  options: DifferentialOptions,
): Promise<DifferentialReport | { readonly missing: string }> {
  const found = options.node === 'btcd' ? await findBtcd() : await findBitcoind()
  if ('missing' in found) return found
  const start = () => (options.node === 'btcd' ? startBtcd() : startBitcoind({ args: CORE_ARGS }))
  const node: TestNode = await start()
  const devnet = createDevnetInProcess({ start: 'genesis' })
  const began = performance.now()
  try {
    const side = await nodeSide(node)
    const pair = new Pair(devnet, { kind: options.node, side, restart: node.restart }, options.seed)
    const campaign = new Campaign(pair, options.start)
    try {
      await campaign.run(options)
    } catch (fault) {
      // Further steps would compare chains that are not the same.
      const text = fault instanceof Error ? (fault.stack ?? fault.message) : String(fault)
      pair.report('the run ended early', text, '', { notes: [] })
    }
    const sorted = [...pair.counts].sort(([a], [b]) => (a < b ? -1 : 1))
    return {
      seed: options.seed,
      start: options.start,
      node: node.name,
      seconds: Math.round((performance.now() - began) / 1000),
      counts: Object.fromEntries(sorted),
      named: Object.fromEntries(pair.named),
      findings: pair.findings,
    }
  } finally {
    await node.stop()
    await devnet.close()
  }
}
