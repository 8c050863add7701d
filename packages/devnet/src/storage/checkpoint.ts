import type { ChainBase, TransactionPlace } from '../chain/chain.ts'
import { must } from '../failure.ts'
import type { Regtest } from '../powers/regtest.ts'
import type { LogRecord } from './records.ts'

/**
 * Everything that chain and mempool are, as one group: blocks in the order of their arrival, then the rest. `old` gives the
 * blocks of the present log, for those that the chain has pruned.
 */
export function checkpoint(
  base: ChainBase,
  { chain, mempool }: Regtest,
  old: () => ReadonlyMap<string, Uint8Array>,
): LogRecord[] {
  const records: LogRecord[] = []
  const nodes = [...chain.nodes.values()]
    .filter(({ hash }) => !base.nodes.has(hash))
    .sort((a, b) => a.sequence - b.sequence)
  let before: ReadonlyMap<string, Uint8Array> | undefined
  for (const node of nodes) {
    let raw = chain.blocks.get(node.hash)?.raw
    if (!raw && chain.pruneHeight > 0) {
      before ??= old()
      raw = before.get(node.hash)
      if (chain.isActive(node)) must(raw, 'a pruned block stands in the log')
    }
    if (raw) records.push({ kind: 'block', raw })
    else records.push({ kind: 'header', bytes: node.header.bytes })
    if (chain.isActive(node)) records.push({ kind: 'tip', hash: node.hash })
  }
  records.push({ kind: 'tip', hash: chain.tip.hash })
  const places = [...chain.index.entries()].filter(([, { hash }]) => {
    const node = chain.nodes.get(hash)
    return !node || !chain.isActive(node)
  })
  if (places.length > 0) records.push({ kind: 'places', places: places satisfies Places })
  if (chain.failures.size > 0) records.push({ kind: 'marks', marks: [...chain.failures] })
  if (chain.pruneHeight > 0) records.push({ kind: 'pruned', height: chain.pruneHeight })
  for (const entry of mempool.pool.entries.values()) records.push({ kind: 'entered', entry })
  return records
}
type Places = readonly (readonly [string, TransactionPlace])[]
