import type { Chain } from '../chain/chain.ts'
import type { BlockNode } from '../chain/node.ts'
import type { Transaction } from '../chain/transaction.ts'

const DISABLED = 0x80000000
const BY_TIME = 1 << 22

/** When relative lock times are over, as worked out for one tip. Source: BIP 68 and Core's LockPoints. */
export interface LockPoints {
  /** The last height and median time at which the transaction is still locked. */
  readonly height: number
  readonly time: number
  /** The highest block that the answer depends on. While it is on the best chain, Core does not work it out again. */
  readonly deepest: BlockNode | undefined
}
/** `heights` are those of the spent coins; an unconfirmed one stands one above the tip. */
export function lockPointsOf(
  { version, inputs }: Transaction,
  heights: readonly number[],
  { active, tip }: Chain,
): LockPoints {
  let [height, time, deepest] = [-1, -1, 0]
  for (const [i, { sequence }] of inputs.entries()) {
    const own = heights[i] ?? 0
    if (sequence >= DISABLED) continue
    if (own <= tip.height) deepest = Math.max(deepest, own)
    if (version < 2) continue
    const value = sequence & 0xffff
    if ((sequence & BY_TIME) === 0) height = Math.max(height, own + value - 1)
    else {
      const from = active[Math.max(own - 1, 0)]?.medianTime ?? 0
      time = Math.max(time, from + value * 512 - 1)
    }
  }
  return { height, time, deepest: active[deepest] }
}
export const locksHold = ({ height, time }: LockPoints, tip: BlockNode): boolean =>
  height < tip.height + 1 && time < tip.medianTime
