import type { Network } from '@kaccy/bitcoin/kernel'
import { addressOf } from '@kaccy/bitcoin/protocol/address'
import type { Offered, Session, Taken } from '@kaccy/bitcoin/signing'
import type { PlannedOutput, SpendRecord, VersionRecord } from '@kaccy/bitcoin/spending'
import type { PsbtJson, SignablePsbtJson, SpendJson, TakenJson } from '../schemas/psbts.ts'
import { satoshi, time, timeOrNull } from './basics.ts'

/** A version as the API shows it: everything but the bytes. */
export function psbtJson(version: VersionRecord, network: Network): PsbtJson {
  const { transaction, rejected, lastSend } = version
  return {
    id: version.id,
    spend: version.spend,
    wallet: version.wallet,
    number: version.number,
    kind: version.kind,
    status: version.status,
    hash: version.hash,
    txid: version.txid ?? null,
    fee_sat: satoshi(version.fee),
    fee_rate_sat_kvb: Number(version.rate),
    weight: version.weight,
    max_fee_sat: satoshi(version.maxFee),
    max_fee_rate_sat_kvb: Number(version.maxRate),
    lock_time: transaction.lockTime,
    inputs: transaction.inputs.map(({ txid, vout, amount }) => ({
      txid,
      vout,
      amount_sat: satoshi(amount),
    })),
    outputs: transaction.outputs.map((output) => outputJson(output, network)),
    approvals_needed: version.approvalsNeeded,
    policy_version: version.policyVersion,
    exposed_at: timeOrNull(version.exposedAt),
    rejected: rejected ? { ...rejected, at: time(rejected.at) } : null,
    sends: version.sends,
    last_send: lastSend
      ? { answer: lastSend.answer, reason: lastSend.reason ?? null, at: time(lastSend.at) }
      : null,
    created_by: version.createdBy,
    created_at: time(version.createdAt),
    updated_at: time(version.updatedAt),
  }
}

function outputJson(
  { script, amount, role }: PlannedOutput,
  network: Network,
): PsbtJson['outputs'][number] {
  const address = addressOf(script, network)
  return {
    address: address.ok ? address.value : null,
    amount_sat: satoshi(amount),
    role: role.kind,
    withdrawals: role.kind === 'payment' ? [...role.withdrawals] : [],
  }
}

/** With everything around it. @param offered where its bytes are given out */
export const sessionJson = (
  { version, isCurrent, inputs, approvals }: Session,
  network: Network,
  offered?: Offered,
): SignablePsbtJson => ({
  ...psbtJson(version, network),
  is_current: isCurrent,
  signatures: inputs.map(({ have, need, missing }) => ({ have, need, missing: [...missing] })),
  approvals: {
    have: approvals.have,
    need: approvals.need,
    complete: approvals.complete,
    given: approvals.given.map(({ by, at }) => ({ by, at: time(at) })),
    initiators: [...approvals.initiators],
  },
  psbt: offered ? Buffer.from(offered.version.psbt).toString('base64') : null,
  receipt: offered?.receipt ?? null,
})

export const takenJson = ({ version, added }: Taken, network: Network): TakenJson => ({
  ...psbtJson(version, network),
  added,
})
export const spendJson = (
  spend: SpendRecord,
  versions: readonly VersionRecord[],
  network: Network,
): SpendJson => ({
  id: spend.id,
  wallet: spend.wallet,
  purpose: spend.purpose,
  parent: spend.parent ?? null,
  status: spend.status,
  anchor: { txid: spend.anchor.txid, vout: spend.anchor.vout },
  current: spend.current,
  mined: spend.mined
    ? {
        psbt: spend.mined.psbt,
        txid: spend.mined.txid,
        block: { height: spend.mined.block.height, hash: spend.mined.block.hash },
      }
    : null,
  cancelling: spend.cancelling,
  bump_at: timeOrNull(spend.bumpAt),
  versions: versions.map((version) => psbtJson(version, network)),
  created_by: spend.createdBy,
  created_at: time(spend.createdAt),
  updated_at: time(spend.updatedAt),
})
