import type { TxRecord } from '../deposits/index.ts'
import type { SpendRecord } from './ports.ts'
import type { Trail } from './trail.ts'

/** Somebody else spends a coin that we hold: another wallet with our keys, or a thief. People must know at once. */
export function alertForeign(trail: Trail, spend: SpendRecord, foreign: readonly TxRecord[]): void {
  for (const { txid, view } of foreign)
    trail.alerts.push({
      key: `foreign_spend/${spend.id}/${txid}`,
      kind: 'foreign_spend',
      severity: 'critical',
      subject: spend.id,
      message: `Transaction ${txid}, which we did not make, spends a coin that is leased to a spend of ours`,
      data: { wallet: spend.wallet, spend: spend.id, txid, state: view.state },
    })
}

export function alertLost(trail: Trail, spend: SpendRecord): void {
  trail.alerts.push({
    key: `spend_lost/${spend.id}/${spend.updatedAt}`,
    kind: 'spend_lost',
    severity: 'critical',
    subject: spend.id,
    message:
      'No transaction of this spend can be mined any more: a buried one that is not ours took its coins',
    data: { wallet: spend.wallet, spend: spend.id },
  })
}

/** What was final is not: a deep reorganisation, or bytes that we thought nobody had signed. */
export function alertRisen(trail: Trail, before: SpendRecord, after: SpendRecord): void {
  trail.alerts.push({
    key: `spend_reopened/${after.id}/${after.updatedAt}`,
    kind: 'spend_reopened',
    severity: 'critical',
    subject: after.id,
    message: `A spend that was ${before.status} is ${after.status} again: look at what was paid or given back because of it`,
    data: { wallet: after.wallet, spend: after.id, before: before.status, after: after.status },
  })
}
