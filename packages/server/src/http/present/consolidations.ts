import type { Analysis, ConsolidationRecord } from '@kaccy/bitcoin/consolidation'
import type { ConsolidationJson, ConsolidationPreviewJson } from '../schemas/consolidations.ts'
import { satoshi, time, timeOrNull } from './basics.ts'

/** A run as the API shows it. */
export const consolidationJson = (run: ConsolidationRecord): ConsolidationJson => ({
  id: run.id,
  wallet: run.wallet,
  status: run.status,
  trigger: run.trigger,
  group: run.group,
  scripts: run.scripts,
  inputs: run.inputs,
  coins: run.coins,
  amount_sat: satoshi(run.amount),
  fee_sat: satoshi(run.fee),
  fee_rate_sat_kvb: Number(run.rate),
  long_term_fee_rate_sat_kvb: Number(run.longTermRate),
  saving_sat: satoshi(run.saving),
  break_even_fee_rate_sat_kvb: Number(run.breakEvenRate),
  spend: run.spend,
  txid: run.txid ?? null,
  created_by: run.createdBy,
  created_at: time(run.createdAt),
  completed_at: timeOrNull(run.status === 'completed' ? run.reachedAt.completed : undefined),
  updated_at: time(run.updatedAt),
})

/** What a run would do, cost and save. */
export const consolidationPreviewJson = (seen: Analysis): ConsolidationPreviewJson => ({
  dry_run: true,
  wallet: seen.wallet,
  group: seen.group,
  scripts: seen.scripts,
  inputs: seen.draft.coins.length,
  coins: seen.coins,
  amount_sat: satoshi(seen.amount),
  output_sat: satoshi(seen.output),
  fee_sat: satoshi(seen.draft.fee),
  fee_rate_sat_kvb: Number(seen.draft.rate),
  fee_source: seen.quote.source,
  long_term_fee_rate_sat_kvb: Number(seen.quote.longTermRate),
  fee_later_sat: satoshi(seen.feeLater),
  fee_after_sat: satoshi(seen.feeAfter),
  saving_sat: satoshi(seen.saving),
  break_even_fee_rate_sat_kvb: Number(seen.breakEvenRate),
  weight: seen.draft.weight,
})
