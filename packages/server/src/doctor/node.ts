import { readFileSync } from 'node:fs'
import { degradationOf } from '@kaccy/bitcoin/chain'
import type { Logger } from '@kaccy/bitcoin/kernel'
import type { Config } from '../config/settings.ts'
import { networkOf } from '../host/host.ts'
import { inspectNode, nodeOf } from '../host/node.ts'
import { examineClock } from './clock.ts'
import { type Finding, failed, fine, warning } from './finding.ts'
import { peek } from './peek.ts'

/** The node: whether it answers, for which network, how much it has, and what time it is there. */
export async function examineNode(
  config: Config,
  logger: Logger,
  now: () => number,
): Promise<Finding[]> {
  const findings: Finding[] = []
  try {
    const source = nodeOf(config, { logger })
    try {
      const { info } = await inspectNode(source, networkOf(config), now())
      findings.push(fine('node', `${info.network}, block ${info.tip.height}`))
      if (info.pruneHeight !== undefined)
        findings.push(
          warning(
            'pruning',
            `blocks below ${info.pruneHeight} are gone`,
            'catching up and rescans reach no further back; keep downtime short',
          ),
        )
      const degraded = degradationOf(info, now())
      if (degraded !== undefined)
        findings.push(warning('following', degraded, 'wait, then look at the node and its peers'))
      const theirs = await timeOf(config)
      findings.push(examineClock('the node', now(), { theirs, tipTime: info.tipTime }))
    } finally {
      await source.close()
    }
  } catch (error) {
    findings.push(failed('node', error))
  }
  return findings
}

/** The node's time: what its web server writes over an answer, also over one that says no. Evidence only. */
async function timeOf(config: Config): Promise<number | undefined> {
  const caFile = config['node.ca_file']
  try {
    const { origin } = new URL(config['node.url'] ?? '')
    return (await peek(origin, caFile === undefined ? undefined : readFileSync(caFile))).time
  } catch {
    // Believed by its fingerprint alone, or silent to strangers: then the newest block is all the evidence.
    return undefined
  }
}
