import type { PsbtId, SpendId, WithdrawalId } from '@kaccy/bitcoin/kernel'
import type { SpendRecord, VersionRecord } from '@kaccy/bitcoin/spending'
import type { WithdrawalRecord } from '@kaccy/bitcoin/withdrawals'
import type { Payouts } from './payouts.ts'
import { maySee, type Principal } from './principal.ts'
import type { RefusedError } from './problem.ts'
import { nothing } from './seen.ts'

/*
 * Payouts that a caller names by their ids: those of other wallets do not exist, word for word.
 */

export const noWithdrawal = (id: string): RefusedError => nothing('withdrawal', id, 'withdrawal')

/** @throws RefusedError NOT_FOUND */
export async function withdrawalOf(
  { withdrawals }: Pick<Payouts, 'withdrawals'>,
  principal: Principal,
  id: string,
): Promise<WithdrawalRecord> {
  const found = await withdrawals.get(id as WithdrawalId)
  if (found && maySee(principal, found.wallet)) return found
  throw noWithdrawal(id)
}

/** @throws RefusedError NOT_FOUND */
export async function psbtOf(
  { psbts }: Pick<Payouts, 'psbts'>,
  principal: Principal,
  id: string,
): Promise<VersionRecord> {
  const found = await psbts.get(id as PsbtId)
  if (found && maySee(principal, found.wallet)) return found
  throw nothing('psbt', id, 'psbt')
}

/** @throws RefusedError NOT_FOUND */
export async function spendOf(
  { spends }: Pick<Payouts, 'spends'>,
  principal: Principal,
  id: string,
): Promise<SpendRecord> {
  const found = await spends.get(id as SpendId)
  if (found && maySee(principal, found.wallet)) return found
  throw nothing('spend', id, 'spend')
}
