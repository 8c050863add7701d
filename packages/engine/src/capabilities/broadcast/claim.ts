import type { PsbtId } from '../../kernel/index.ts'
import type { SpendingTx, SpendRecord, VersionRecord } from '../spending/index.ts'
import type { BroadcastOptions } from './options.ts'
import { BATCH, CLAIM_MS } from './policy.ts'

/**
 * Claims what is due, committed before anything is sent. Two processes do not claim the same: each looks again under the lock
 * of the spend. What needs no sending any more is put aside.
 */
export async function claimDue<Tx extends SpendingTx>({
  store,
  clock,
}: BroadcastOptions<Tx>): Promise<readonly PsbtId[]> {
  return store.transact(async (tx) => {
    const now = clock.now()
    const due = await tx.spending.dueVersions(['finalized', 'broadcast', 'evicted'], now, BATCH)
    if (due.length === 0) return []
    const ids = [...new Set(due.map(({ spend }) => spend))].sort()
    const spends = await tx.spending.lockSpends(ids)
    const claimed: PsbtId[] = []
    for (const spend of spends)
      for (const version of due.filter((one) => one.spend === spend.id)) {
        const fresh = await tx.spending.version(version.id)
        if (!fresh || !isDue(fresh, now)) continue
        if (await isSuperfluous(tx, spend, fresh)) {
          const { nextAt: _, ...rest } = fresh
          await tx.spending.saveVersion(rest)
        } else {
          await tx.spending.saveVersion({ ...fresh, claimedUntil: now + CLAIM_MS })
          claimed.push(fresh.id)
        }
      }
    return claimed
  })
}

const isDue = ({ nextAt, claimedUntil }: VersionRecord, now: number): boolean =>
  nextAt !== undefined && nextAt <= now && (claimedUntil === undefined || claimedUntil <= now)

/** Mined, over, without bytes, or an older version while the newer one can be sent: nothing is gained by offering it. */
async function isSuperfluous(
  tx: SpendingTx,
  spend: SpendRecord,
  version: VersionRecord,
): Promise<boolean> {
  if (spend.status !== 'open' || version.raw === undefined) return true
  if (version.id === spend.current) return false
  const current = await tx.spending.version(spend.current)
  if (!current || !isSendable(current)) return false
  // A newer one that the node will not have does not speak for the older one.
  return current.lastSend?.answer !== 'refused'
}

/** Whether there are final bytes that may be offered. */
export const isSendable = ({ raw, status }: VersionRecord): boolean =>
  raw !== undefined && (status === 'finalized' || status === 'broadcast' || status === 'evicted')
