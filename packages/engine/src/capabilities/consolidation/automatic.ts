import type { WalletId } from '../../kernel/index.ts'
import { type Analysis, analyse } from './analyse.ts'
import type { Trigger } from './ports.ts'
import { carryOut, type RunDeps } from './run.ts'
import type { ConsolidationSettings } from './settings.ts'

/** When each wallet was looked at last. A process that forgets it looks once more: what it would do twice, the store refuses. */
export type Looks = Map<WalletId, number>

/**
 * Looks at every wallet whose time has come and starts a run where a trigger fires. Nothing without `automatic`.
 * @returns how many runs were made
 */
export async function consolidateDue(deps: RunDeps, looks: Looks): Promise<number> {
  const { store, clock, settings } = deps
  if (!settings.automatic) return 0
  const now = clock.now()
  const isDue = (wallet: WalletId) => (looks.get(wallet) ?? -Infinity) + settings.everyMs <= now
  const wallets = await store.read((tx) => tx.wallet.wallets())
  let made = 0
  for (const { id, status } of wallets) {
    if (status !== 'active' || !isDue(id)) continue
    looks.set(id, now)
    if (await consolidateOne(deps, id)) made += 1
  }
  return made
}

/** A refusal is the usual answer: there is nothing to gain, or payouts have the right of way. It is asked again next time. */
async function consolidateOne(deps: RunDeps, wallet: WalletId): Promise<boolean> {
  const seen = await analyse(deps, wallet)
  if (!seen.ok) return false
  const trigger = triggerOf(deps.settings, seen.value)
  if (!trigger) return false
  return (await carryOut(deps, seen.value, { trigger, actor: 'engine' })).ok
}

/** What makes the engine start a run by itself; its rate is below the ceiling already. Pure. */
export function triggerOf(
  { automatic }: Pick<ConsolidationSettings, 'automatic'>,
  { coins, saving, draft, quote }: Pick<Analysis, 'coins' | 'saving' | 'draft' | 'quote'>,
): Trigger | undefined {
  const { coins: most, ratePercent } = automatic ?? {}
  if (most !== undefined && coins >= most) return 'coins'
  if (ratePercent === undefined || saving <= 0n) return undefined
  return draft.rate * 100n <= quote.longTermRate * BigInt(ratePercent) ? 'fee' : undefined
}
