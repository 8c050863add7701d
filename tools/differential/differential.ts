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
}
export interface DifferentialReport {
  readonly seed: number
  readonly node: string
  readonly seconds: number
  readonly counts: Readonly<Record<string, number>>
  /** Differences that `differences.ts` names, by how often they were seen. */
  readonly named: Readonly<Record<string, number>>
  readonly findings: readonly Finding[]
}
/**
 * The chain's times lie in the past, the same in every run: the node must not think that it is behind. With several
 * script threads it would not say which script failed.
 */
const CORE_ARGS = ['-maxtipage=2000000000', '-persistmempool=0', '-par=1']

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
    const campaign = new Campaign(pair)
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
