import type { Json } from '../../kernel/index.ts'
import type { SpendRecord, VersionRecord, VersionStatus } from './ports.ts'
import type { Trail } from './trail.ts'

export type PsbtEvent =
  | 'psbt.created'
  | 'psbt.signed'
  | 'psbt.finalized'
  | 'psbt.broadcast'
  | 'psbt.replaced'
  | 'psbt.evicted'
  | 'psbt.confirmed'
  | 'psbt.rejected'

/** The event of a version that has come into this state; some states are told by nobody. */
export const EVENT_OF: Readonly<Record<VersionStatus, PsbtEvent | undefined>> = {
  created: 'psbt.created',
  partially_signed: undefined,
  signed: 'psbt.signed',
  finalized: 'psbt.finalized',
  broadcast: 'psbt.broadcast',
  rejected: 'psbt.rejected',
  replaced: 'psbt.replaced',
  evicted: 'psbt.evicted',
  confirmed: 'psbt.confirmed',
}

/** The version as events show it: enough to act on without asking back, and no PSBT bytes. */
export function versionSnapshot(
  spend: SpendRecord,
  version: VersionRecord,
): { readonly [key: string]: Json } {
  const { mined } = spend
  return {
    psbt: version.id,
    spend: spend.id,
    wallet: spend.wallet,
    purpose: spend.purpose,
    kind: version.kind,
    number: version.number,
    status: version.status,
    spend_status: spend.status,
    hash: version.hash,
    txid: version.txid ?? null,
    fee_sat: Number(version.fee),
    fee_rate_sat_kvb: Number(version.rate),
    weight: version.weight,
    withdrawals: version.transaction.outputs.flatMap(({ role }) =>
      role.kind === 'payment' ? role.withdrawals : [],
    ),
    block:
      mined?.psbt === version.id ? { height: mined.block.height, hash: mined.block.hash } : null,
  }
}

/** Puts one event of a version, and who caused it, into the trail. */
export function tellVersion(
  trail: Trail,
  told: {
    readonly spend: SpendRecord
    readonly version: VersionRecord
    readonly type: PsbtEvent
    readonly actor: string
    readonly details?: { readonly [key: string]: Json }
  },
): void {
  const { spend, version, type, actor, details = {} } = told
  trail.audits.push({
    actor,
    action: type,
    subject: version.id,
    details: {
      spend: spend.id,
      wallet: spend.wallet,
      kind: version.kind,
      hash: version.hash,
      txid: version.txid ?? null,
      fee_sat: Number(version.fee),
      ...details,
    },
  })
  trail.events.push({
    type,
    subject: version.id,
    data: { ...versionSnapshot(spend, version), ...details },
  })
}
