import type { Json } from '../../kernel/index.ts'
import type { Trail } from '../spending/index.ts'
import type { ConsolidationRecord } from './ports.ts'

/** A run as events and the trail show it: enough to act on without asking back. */
export const consolidationSnapshot = (
  run: ConsolidationRecord,
): { readonly [key: string]: Json } => ({
  consolidation: run.id,
  wallet: run.wallet,
  status: run.status,
  trigger: run.trigger,
  group: run.group,
  scripts: run.scripts,
  inputs: run.inputs,
  amount_sat: Number(run.amount),
  fee_sat: Number(run.fee),
  fee_rate_sat_kvb: Number(run.rate),
  long_term_fee_rate_sat_kvb: Number(run.longTermRate),
  saving_sat: Number(run.saving),
  break_even_fee_rate_sat_kvb: Number(run.breakEvenRate),
  spend: run.spend,
  txid: run.txid ?? null,
})

/** Puts what became of a run, and who caused it, into the trail: `consolidation.<status>`. */
export function tellConsolidation(trail: Trail, run: ConsolidationRecord, actor: string): void {
  const data = consolidationSnapshot(run)
  const name = `consolidation.${run.status}`
  trail.audits.push({ actor, action: name, subject: run.id, details: data })
  trail.events.push({ type: name, subject: run.id, data })
}
