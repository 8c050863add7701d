import type { SpendId } from '../../kernel/index.ts'
import type { FeeSpeed } from './fees.ts'
import type { SpendingOptions } from './options.ts'
import type { BumpLimits } from './owner.ts'
import type { SpendRecord, VersionRecord } from './ports.ts'
import { bump } from './replacing.ts'
import { emptyTrail, writeTrail } from './trail.ts'
import type { SpendingTx } from './transaction.ts'

/** What one pass over the spends that are due did. */
export interface Automatic {
  readonly considered: number
  readonly bumped: readonly SpendId[]
  /** Spends whose owner, ceilings or coins did not allow what the deadline asks for. */
  readonly stuck: readonly SpendId[]
}

const BUMP_EVERY_MS = 30 * 60 * 1000
/** Spends of one pass. */
const MOST = 50

/** Whether there is anything to bump: before the first sending a new version would only void approvals and signatures. */
const isOut = ({ status, lastSend }: VersionRecord): boolean =>
  status === 'broadcast' ||
  status === 'evicted' ||
  (status === 'finalized' && lastSend?.answer === 'refused')

/**
 * Considers every open spend whose time has come: what its deadline asks for now, within its budget. The more the deadline
 * nears, the nearer is the target, so the rate rises by itself up to the ceilings, and never above.
 */
export async function bumpDue<Tx extends SpendingTx>(
  options: SpendingOptions<Tx>,
): Promise<Automatic> {
  const { store, clock } = options
  const due = await store.read((tx) => tx.spending.dueBumps(clock.now(), MOST))
  const bumped: SpendId[] = []
  const stuck: SpendId[] = []
  for (const { id } of due) {
    const outcome = await considerOne(options, id)
    if (outcome === 'bumped') bumped.push(id)
    if (outcome === 'stuck') stuck.push(id)
  }
  return { considered: due.length, bumped, stuck }
}

async function considerOne<Tx extends SpendingTx>(
  options: SpendingOptions<Tx>,
  id: SpendId,
): Promise<'bumped' | 'stuck' | 'waits'> {
  const { clock } = options
  // The next time is written down first: what fails here is considered again then, by whichever process.
  const seen = await options.store.transact((tx) => claim(options, tx, id))
  if (!seen?.limits || !isOut(seen.current)) return 'waits'
  const { limits } = seen
  const speed: FeeSpeed =
    limits.deadline === undefined
      ? { kind: 'priority', priority: 'normal' }
      : { kind: 'deadline', at: limits.deadline }
  const wish = { speed, maxFee: limits.maxFee, maxRate: limits.maxRate }
  const done = await bump(options, id, wish, 'engine')
  if (done.ok) return 'bumped'
  const { code, message, details } = done.error
  const isStuck = code === 'SPEND_NOT_REPLACEABLE' || code === 'SPEND_HAS_CHILDREN'
  if (!isStuck || details['reason'] === 'overtaken') return 'waits'
  const at = clock.now()
  const trail = emptyTrail()
  trail.alerts.push({
    key: `bump_impossible/${seen.current.id}/${code}`,
    kind: 'bump_impossible',
    severity: 'warning',
    subject: id,
    message,
    data: { wallet: seen.spend.wallet, spend: id, code, ...details },
  })
  await options.store.transact((tx) => writeTrail(tx, at, { ...trail, alerts: [...trail.alerts] }))
  return 'stuck'
}

interface Claimed {
  readonly spend: SpendRecord
  readonly current: VersionRecord
  readonly limits: BumpLimits | undefined
}
async function claim<Tx extends SpendingTx>(
  { clock, owners, bumpEveryMs = BUMP_EVERY_MS }: SpendingOptions<Tx>,
  tx: Tx,
  id: SpendId,
): Promise<Claimed | undefined> {
  const [spend] = await tx.spending.lockSpends([id])
  const now = clock.now()
  if (spend?.status !== 'open' || spend.bumpAt === undefined || spend.bumpAt > now) return undefined
  const current = await tx.spending.version(spend.current)
  if (!current) return undefined
  const limits = await owners[spend.purpose]?.bumpLimits?.(tx, spend)
  const { bumpAt: _, ...rest } = spend
  await tx.spending.saveSpend(limits ? { ...rest, bumpAt: now + bumpEveryMs } : rest)
  return { spend, current, limits }
}
