/** What one step of the comparison saw on both sides. */
export interface Observation {
  readonly step: 'policy' | 'send' | 'block' | 'tie' | 'mempool'
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
/** Transactions that only one side holds, as the comparison of mempools writes them. */
const only = (text: string): readonly string[] => text.match(/[0-9a-f]{64}=[0-9a-f]+/g) ?? []
/** Version 2 or more, and a sequence of zero somewhere: a relative lock of nothing. */
const hasEmptyLock = (entry: string): boolean =>
  !entry.split('=')[1]?.startsWith('01000000') && entry.includes('00000000')

export const DIFFERENCES: readonly NamedDifference[] = [
  {
    name: 'a relative lock of zero on an unconfirmed parent after a reorganisation',
    node: 'core',
    why: 'Core keeps the height that it computed when the transaction came and throws it out one block lower; a devnet looks again and finds it valid',
    matches: ({ step, devnet, other }) =>
      step === 'mempool' &&
      only(other).length === 0 &&
      only(devnet).length > 0 &&
      only(devnet).every(hasEmptyLock),
  },
  {
    name: 'a child of a refused block',
    node: 'btcd',
    why: 'btcd forgets a refused block at once and keeps its child as an orphan; a devnet remembers it and says bad-prevblk, as Core does',
    matches: ({ step, devnet, other }) =>
      step === 'block' && devnet === 'bad-prevblk' && other === 'accepted',
  },
  {
    name: 'equal work after an order of the operator',
    node: 'btcd',
    why: 'btcd stays on the branch where it is; a devnet goes back to the block that came first, as Core does',
    matches: ({ step, other }) => step === 'tie' && other === 'equal work',
  },
]

export function nameOf(node: NamedDifference['node'], seen: Observation): string | undefined {
  return DIFFERENCES.find((each) => each.node === node && each.matches(seen))?.name
}
