import type { BlockNode } from './node.ts'

/**
 * The blocks that could become the tip, those aside that could become it later, and those that still wait for a block before
 * them. Follows the candidate set of Core's block index, so that the same branch wins and the same blocks carry marks.
 */
export class Contenders {
  /** Blocks that are whole back to genesis and no worse than the tip. */
  readonly #open: Set<BlockNode>
  /** Blocks that are whole back to genesis and not on the best chain. */
  readonly #aside: Set<BlockNode>
  /** Hashes of blocks of which something is missing: their own transactions or those of a block before. */
  readonly #waiting: Set<string>
  /** Blocks that came before their parents did, by the parent's hash. */
  readonly #early: Map<string, readonly BlockNode[]>
  /** Order of arrival where it is not that of the header. */
  readonly #ranks: Map<string, number>
  #precious = -1
  #preciousWork = 0n

  constructor(from: BlockNode | Contenders) {
    const old = from instanceof Contenders ? from : undefined
    this.#open = new Set(old ? old.#open : [from as BlockNode])
    this.#aside = new Set(old ? old.#aside : [])
    this.#waiting = new Set(old ? old.#waiting : [])
    this.#early = new Map(old ? old.#early : [])
    this.#ranks = new Map(old ? old.#ranks : [])
    if (old) {
      this.#precious = old.#precious
      this.#preciousWork = old.#preciousWork
    }
  }

  #rank(node: BlockNode): number {
    return this.#ranks.get(node.hash) ?? node.sequence
  }
  /** Less work, or the same and later. Source: Core, CBlockIndexWorkComparator. */
  isWorse(node: BlockNode, than: BlockNode): boolean {
    if (node.work !== than.work) return node.work < than.work
    return this.#rank(node) > this.#rank(than)
  }
  best(): BlockNode | undefined {
    let best: BlockNode | undefined
    for (const node of this.#open) if (!best || this.isWorse(best, node)) best = node
    return best
  }
  add(node: BlockNode): void {
    this.#open.add(node)
  }
  delete(node: BlockNode): void {
    this.#open.delete(node)
  }
  /** Only what is no worse than the tip can follow it. */
  prune(tip: BlockNode): void {
    for (const node of this.#open) if (this.isWorse(node, tip)) this.#open.delete(node)
  }
  /** Every block aside that is no worse than the tip stands for it again. */
  reopen(tip: BlockNode, failed: ReadonlyMap<string, unknown>): void {
    for (const node of this.#aside) {
      if (!failed.has(node.hash) && !this.isWorse(node, tip)) this.#open.add(node)
    }
  }
  isWhole(node: BlockNode): boolean {
    return !this.#waiting.has(node.hash)
  }
  /** A header: its block may come later. */
  await(node: BlockNode): void {
    this.#waiting.add(node.hash)
  }
  /** A block has come, and with it perhaps those that waited for it. `sequence` counts arrivals. */
  receive(node: BlockNode, tip: BlockNode, sequence: () => number): void {
    if (node.prev && this.#waiting.has(node.prev.hash)) {
      const siblings = this.#early.get(node.prev.hash) ?? []
      if (!siblings.includes(node)) this.#early.set(node.prev.hash, [...siblings, node])
      return
    }
    const queue = [node]
    for (let next = queue.shift(); next; next = queue.shift()) {
      this.#waiting.delete(next.hash)
      this.#aside.add(next)
      const current = sequence()
      if (next.sequence !== current - 1) this.#ranks.set(next.hash, current)
      if (!this.isWorse(next, tip)) this.#open.add(next)
      const children = this.#early.get(next.hash)
      if (!children) continue
      this.#early.delete(next.hash)
      queue.push(...children)
    }
  }
  joined(node: BlockNode): void {
    this.#aside.delete(node)
  }
  left(node: BlockNode): void {
    this.#aside.add(node)
  }
  /** Lets a block come before all others of equal work. Source: Core, PreciousBlock. */
  prefer(node: BlockNode, tip: BlockNode, failed: boolean): void {
    if (node.work < tip.work) return
    if (tip.work > this.#preciousWork) this.#precious = -1
    this.#preciousWork = tip.work
    this.#ranks.set(node.hash, this.#precious--)
    if (!failed && this.isWhole(node)) {
      this.#open.add(node)
      this.prune(tip)
    }
  }
}
