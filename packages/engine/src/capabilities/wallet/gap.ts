import { type AlertRows, type NewAlert, raiseAlerts } from '../alerts/index.ts'
import type { EventRows } from '../events/index.ts'
import { type GapReport, gapOf, gapWorsened } from './policy.ts'
import type { KeychainRecord, WalletRecord } from './ports.ts'
import type { WindowGrowth } from './window.ts'

const MESSAGE: Readonly<Record<Exclude<GapReport['level'], 'ok'>, string>> = {
  near: 'three quarters of the gap limit are handed out unpaid in a row',
  limit:
    'the gap limit is reached: a wallet restored from the keys alone would not find the next address',
  exceeded:
    'addresses are handed out beyond the gap limit: a wallet restored from the keys alone needs a higher gap limit',
}

const alertOf = (wallet: WalletRecord, gap: GapReport, level: keyof typeof MESSAGE): NewAlert => ({
  // One run of unused addresses is named by where it began: each level rings once in it.
  key: `gap/${wallet.id}/${gap.branch}/${gap.reach}/${level}`,
  kind: 'gap_warning',
  severity: level === 'exceeded' ? 'critical' : 'warning',
  subject: wallet.id,
  message: `${wallet.name}: ${MESSAGE[level]}`,
  data: dataOf(wallet, gap),
})

const dataOf = (wallet: WalletRecord, gap: GapReport) => ({
  wallet: wallet.id,
  branch: gap.branch,
  level: gap.level,
  gap_limit: gap.limit,
  unused: gap.unused,
  remaining: gap.remaining,
  reach: gap.reach,
  last_used: gap.lastUsed,
  next_index: gap.nextIndex,
})

/**
 * Writes the warnings that a change of a keychain asks for, in the transaction that changes it, and answers the gap
 * after it. The levels are one reveal apart, so the warning is always committed before an address that could hide coins.
 */
export async function noteGap(
  tx: { readonly alerts: AlertRows; readonly events: EventRows },
  at: number,
  wallet: WalletRecord,
  before: KeychainRecord,
  after: KeychainRecord,
): Promise<GapReport> {
  const gap = gapOf(after, wallet.gapLimit)
  if (gap.level === 'ok' || !gapWorsened(gapOf(before, wallet.gapLimit), gap)) return gap
  const raised = await raiseAlerts(tx, at, [alertOf(wallet, gap, gap.level)])
  if (raised.length > 0)
    await tx.events.append(at, [
      { type: 'wallet.gap_warning', subject: wallet.id, data: dataOf(wallet, gap) },
    ])
  return gap
}

/**
 * Rings once when a window cannot grow because another wallet watches the next script: from there on this wallet can
 * hand out nothing, and a payment there is booked for the other one.
 */
export async function noteOverlap(
  tx: { readonly alerts: AlertRows; readonly events: EventRows },
  at: number,
  wallet: WalletRecord,
  branch: number,
  { overlap, watchedTo }: WindowGrowth,
): Promise<void> {
  if (overlap === undefined) return
  await raiseAlerts(tx, at, [
    {
      key: `overlap/${wallet.id}/${branch}/${watchedTo}`,
      kind: 'invariant_broken',
      severity: 'critical',
      subject: wallet.id,
      message: `${wallet.name}: address ${branch}/${watchedTo} belongs to another wallet as well`,
      data: { wallet: wallet.id, branch, index: watchedTo, other: overlap },
    },
  ])
}
