/** What one step of the comparison saw on both sides. */
export interface Observation {
  readonly step: 'policy' | 'send' | 'block' | 'package' | 'mempool'
  /** `accepted`, or why not. */
  readonly devnet: string
  readonly other: string
  /** What the generator did to the transaction or block. */
  readonly notes: readonly string[]
}
/** A difference that is known, wanted or not ours, and why. Anything else fails the run. */
export interface NamedDifference {
  readonly name: string
  readonly node: 'btcd' | 'core'
  readonly why: string
  readonly matches: (seen: Observation) => boolean
}
export const DIFFERENCES: readonly NamedDifference[] = []

export function nameOf(node: NamedDifference['node'], seen: Observation): string | undefined {
  return DIFFERENCES.find((each) => each.node === node && each.matches(seen))?.name
}
