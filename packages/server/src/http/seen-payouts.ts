import type { ConsolidationRecord } from '@kaccy/bitcoin/consolidation'
import {
  type ConsolidationId,
  type PsbtId,
  refuse,
  type SpendId,
  type WithdrawalId,
} from '@kaccy/bitcoin/kernel'
import type { Session } from '@kaccy/bitcoin/signing'
import type { SpendView } from '@kaccy/bitcoin/spending'
import type { WithdrawalRecord } from '@kaccy/bitcoin/withdrawals'
import type { Engine } from '@kaccy/bitcoin'
import { maySee, type Principal } from './principal.ts'
import { RefusedError } from './problem.ts'

/*
 * Payouts that a caller names by their ids: those of other wallets do not exist, word for word.
 */

export const noWithdrawal = (id: string): RefusedError =>
  new RefusedError(
    refuse('WITHDRAWAL_NOT_FOUND', `no withdrawal ${id}`, { param: 'withdrawal' }).error,
  )

/** @throws RefusedError WITHDRAWAL_NOT_FOUND */
export async function withdrawalOf(
  { withdrawals }: Pick<Engine, 'withdrawals'>,
  principal: Principal,
  id: string,
): Promise<WithdrawalRecord> {
  const found = await withdrawals.get(id as WithdrawalId)
  if (found && maySee(principal, found.wallet)) return found
  throw noWithdrawal(id)
}

/** @throws RefusedError PSBT_NOT_FOUND */
export async function psbtOf(
  { psbts }: Pick<Engine, 'psbts'>,
  principal: Principal,
  id: string,
): Promise<Session> {
  const found = await psbts.get(id as PsbtId)
  if (found && maySee(principal, found.version.wallet)) return found
  throw new RefusedError(
    refuse('PSBT_NOT_FOUND', `no transaction to sign ${id}`, { param: 'psbt' }).error,
  )
}

/** @throws RefusedError SPEND_NOT_FOUND */
export async function spendOf(
  { spends }: Pick<Engine, 'spends'>,
  principal: Principal,
  id: string,
): Promise<SpendView> {
  const found = await spends.get(id as SpendId)
  if (found && maySee(principal, found.spend.wallet)) return found
  throw new RefusedError(refuse('SPEND_NOT_FOUND', `no spend ${id}`, { param: 'spend' }).error)
}

export const noPolicy = (version: number): RefusedError =>
  new RefusedError(
    refuse('POLICY_NOT_FOUND', `no policy ${version}`, { param: 'policy', details: { version } })
      .error,
  )

/** @throws RefusedError CONSOLIDATION_NOT_FOUND */
export async function consolidationOf(
  { consolidation }: Pick<Engine, 'consolidation'>,
  principal: Principal,
  id: string,
): Promise<ConsolidationRecord> {
  const found = await consolidation.get(id as ConsolidationId)
  if (found && maySee(principal, found.wallet)) return found
  throw new RefusedError(
    refuse('CONSOLIDATION_NOT_FOUND', `no consolidation ${id}`, { param: 'consolidation' }).error,
  )
}
