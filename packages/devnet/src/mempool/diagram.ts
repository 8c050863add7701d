import { inOrder, type PoolEntry } from './entry.ts'

/** Satoshi and vbytes of transactions that are mined together. */
export interface Chunk {
  readonly fees: bigint
  readonly size: number
}
/** Positive when `a` pays the better rate. */
function compareRate(a: Chunk, b: Chunk): number {
  const left = a.fees * BigInt(b.size)
  const right = b.fees * BigInt(a.size)
  return left === right ? 0 : left > right ? 1 : -1
}
const bestFirst = (a: Chunk, b: Chunk): number => compareRate(b, a) || a.size - b.size
const plus = (a: Chunk, b: Chunk): Chunk => ({ fees: a.fees + b.fees, size: a.size + b.size })
const minus = (a: Chunk, b: Chunk): Chunk => ({ fees: a.fees - b.fees, size: a.size - b.size })

/** One diagram while it is walked: how far it was read, and what lies ahead. */
class Walk {
  at: Chunk = { fees: 0n, size: 0 }
  better = false
  readonly #rest: Chunk[]
  constructor(chunks: readonly Chunk[]) {
    this.#rest = [...chunks]
  }
  get next(): Chunk | undefined {
    const [first] = this.#rest
    return first && plus(this.at, first)
  }
  advance(): void {
    const first = this.#rest.shift()
    if (first) this.at = plus(this.at, first)
  }
}

/**
 * Whether `next` lies nowhere below `old` and somewhere above it: fees over size, chunk by chunk, flat after the last.
 * Both sorted with the best first. Source: Core's CompareChunks.
 */
export function improves(next: readonly Chunk[], old: readonly Chunk[]): boolean {
  const mine = new Walk(next)
  const theirs = new Walk(old)
  for (;;) {
    const [a, b] = [mine.next, theirs.next]
    if (!a && !b) return mine.better
    const mineFirst = a !== undefined && (b === undefined || a.size <= b.size)
    const [walk, other] = mineFirst ? [mine, theirs] : [theirs, mine]
    const point = walk.next
    if (!point) return false
    const ahead = other.next
    const slope = minus(point, other.at)
    const order = compareRate(slope, ahead ? minus(ahead, other.at) : { fees: 0n, size: 1 })
    if (ahead?.size === point.size) other.advance()
    if (order > 0) walk.better = true
    if (order < 0) other.better = true
    walk.advance()
    if (walk.better && other.better) return false
  }
}

/** Only conflicts in pairs of parent and child can be put in a diagram: Core's words for any other. */
function topologyFault(entry: PoolEntry): string | undefined {
  const above = entry.withAncestors.count
  const below = entry.withDescendants.count
  const { txid } = entry
  if (above > 2) return `${txid} has ${above - 1} ancestors, max 1 allowed`
  if (below > 2) return `${txid} has ${below - 1} descendants, max 1 allowed`
  if (above > 1 && below > 1) {
    return `${txid} has both ancestor and descendant, exceeding cluster limit of 2`
  }
  const [child] = entry.children
  if (child && child.withAncestors.count > 2) {
    return `${txid} is not the only parent of child ${child.txid}`
  }
  const [parent] = entry.parents
  if (!child && parent && parent.withDescendants.count > 2) {
    return `${txid} is not the only child of parent ${parent.txid}`
  }
  return undefined
}
const chunkOf = (entry: PoolEntry): Chunk => ({ fees: entry.modifiedFee, size: entry.size })
function oldChunks(evicted: ReadonlySet<PoolEntry>): Chunk[] {
  const chunks: Chunk[] = []
  for (const entry of evicted) {
    // A parent is looked at together with its child.
    if (entry.withDescendants.count > 1) continue
    const own = chunkOf(entry)
    if (entry.withAncestors.count === 1) chunks.push(own)
    else {
      const both = { fees: entry.withAncestors.fees, size: entry.withAncestors.size }
      if (compareRate(own, both) > 0) chunks.push(both)
      else chunks.push(minus(both, own), own)
    }
  }
  return chunks.sort(bestFirst)
}
/** Undefined when the replacement makes the mempool better at every size; else why not. Source: Core's ImprovesFeerateDiagram. */
export function diagramFault(
  direct: ReadonlySet<PoolEntry>,
  evicted: ReadonlySet<PoolEntry>,
  replacement: Chunk,
): string | undefined {
  for (const entry of inOrder(direct)) {
    const fault = topologyFault(entry)
    if (fault) return fault
  }
  const next = [replacement]
  for (const entry of direct) {
    const [parent] = entry.parents
    if (parent && !evicted.has(parent)) next.push(chunkOf(parent))
  }
  return improves(next.sort(bestFirst), oldChunks(evicted))
    ? undefined
    : 'insufficient feerate: does not improve feerate diagram'
}
