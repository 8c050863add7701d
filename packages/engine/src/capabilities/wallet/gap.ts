import { type AlertRows, type NewAlert, raiseAlerts } from '../alerts/index.ts'
import type { EventRows } from '../events/index.ts'
import { type GapReport, gapOf, gapWorsened } from './policy.ts'
import type { KeychainRecord, WalletRecord } from './ports.ts'

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
  data: dataOf(gap),
})

const dataOf = (gap: GapReport) => ({
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
      { type: 'wallet.gap_warning', subject: wallet.id, data: dataOf(gap) },
    ])
  return gap
}
