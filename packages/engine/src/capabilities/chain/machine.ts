import type { BlockRef } from '../../kernel/index.ts'

/** What to do to get from our chain to theirs: blocks that leave (tip first) and blocks that join (ascending). */
export interface Plan {
  readonly fork: BlockRef
  readonly disconnect: readonly BlockRef[]
  readonly connect: readonly BlockRef[]
}

/**
 * The way from our best chain to the node's, by hash and never by height alone: the same height twice is no agreement,
 * and a lower height is no reorganisation by itself.
 *
 * Both chains are contiguous and ascending and start at the same height.
 * @returns undefined when they agree nowhere: the caller has to reach further back.
 */
export function plan(ours: readonly BlockRef[], theirs: readonly BlockRef[]): Plan | undefined {
  let common = -1
  while (
    common + 1 < ours.length &&
    common + 1 < theirs.length &&
    ours[common + 1]?.hash === theirs[common + 1]?.hash
  )
    common += 1
  const fork = ours[common]
  if (!fork) return undefined
  return {
    fork,
    disconnect: ours.slice(common + 1).reverse(),
    connect: theirs.slice(common + 1),
  }
}

/**
 * Heights at which to compare the chains, newest first: ten in a row, then in steps that double, down to the base.
 * Finds a shallow fork in a question or two and a deep one in a few dozen.
 */
export function locatorHeights(tip: number, base: number): readonly number[] {
  const heights: number[] = []
  let step = 1
  for (let height = tip; height > base; height -= step) {
    heights.push(height)
    if (heights.length >= 10) step *= 2
  }
  heights.push(base)
  return heights
}
