import {
  assert,
  type OutPoint,
  type Sat,
  sat,
  sumSat,
  type Txid,
  type WithdrawalId,
  ZERO,
} from '../../kernel/index.ts'
import type { PlannedOutput, VersionRecord } from '../spending/index.ts'
import type { WithdrawalRecord } from './ports.ts'

/** What one transaction does for one withdrawal. */
export interface Part {
  /** The output that pays it; no id where signatures are part of it and nobody has signed. */
  readonly output: { readonly txid?: Txid; readonly vout: number }
  /** What the recipient gets for this withdrawal. */
  readonly paid: Sat
  /** Its share of the fee, whoever bears it. */
  readonly feeShare: Sat
}
type Priced = Pick<WithdrawalRecord, 'id' | 'amount' | 'maxFee' | 'feePayer'>

/**
 * Splits a fee into shares that sum to the whole (W20): equal ones, none above its ceiling, what is left of rounding to the
 * first. What the ceilings do not hold stays with nobody: the house bears it.
 */
export function splitFee(fee: Sat, ceilings: readonly Sat[]): readonly Sat[] {
  const shares = ceilings.map(() => 0n)
  let open = ceilings.map((_, i) => i)
  let left: bigint = fee
  while (left > 0n && open.length > 0) {
    const each = left / BigInt(open.length)
    const extra = left % BigInt(open.length)
    const place = new Map(open.map((i, nth) => [i, each + (BigInt(nth) < extra ? 1n : 0n)]))
    const full = open.filter((i) => (shares[i] ?? 0n) + (place.get(i) ?? 0n) > (ceilings[i] ?? 0n))
    // Those whose ceiling is lower than an equal share give all they can; the others share what is left.
    for (const i of full.length > 0 ? full : open) {
      const room = (ceilings[i] ?? 0n) - (shares[i] ?? 0n)
      const wanted = place.get(i) ?? 0n
      const given = wanted < room ? wanted : room
      shares[i] = (shares[i] ?? 0n) + given
      left -= given
    }
    open = full.length > 0 ? open.filter((i) => !full.includes(i)) : []
  }
  return shares.map(sat)
}

const paymentsIn = ({ transaction }: Pick<VersionRecord, 'transaction'>) =>
  transaction.outputs.flatMap(({ amount, script, role }, vout) =>
    role.kind === 'payment' ? [{ amount, script, vout, withdrawals: role.withdrawals }] : [],
  )
/** The withdrawals that a version pays. */
export const paidBy = (version: Pick<VersionRecord, 'transaction'>): readonly WithdrawalId[] =>
  paymentsIn(version).flatMap(({ withdrawals }) => withdrawals)
export const pays = (version: Pick<VersionRecord, 'transaction'>, id: WithdrawalId): boolean =>
  version.transaction.outputs.some(({ role }: PlannedOutput) =>
    role.kind === 'payment' ? role.withdrawals.includes(id) : false,
  )

/**
 * What a version does for each of these withdrawals, all of them that it pays. A recipient's share is what its output is
 * short of; everybody else's is a part of the fee, and within one output that several share, equal parts.
 */
export function partsOf(
  version: Pick<VersionRecord, 'transaction' | 'fee' | 'txid'>,
  records: readonly Priced[],
): ReadonlyMap<WithdrawalId, Part> {
  const byId = new Map(records.map((record) => [record.id, record]))
  const parts = new Map<WithdrawalId, Part>()
  const bearing: { readonly record: Priced; readonly output: Part['output'] }[] = []
  for (const { amount, vout, withdrawals } of paymentsIn(version)) {
    const output = { ...(version.txid === undefined ? {} : { txid: version.txid }), vout }
    const paid = withdrawals.flatMap((id) => byId.get(id) ?? [])
    const [first] = paid
    if (!first) continue
    if (first.feePayer !== 'recipient') {
      for (const record of paid) bearing.push({ record, output })
      continue
    }
    const asked = sumSat(paid.map((record) => record.amount))
    assert(asked >= amount, 'a recipient gets more than was asked for')
    const shares = splitFee(
      sat(asked - amount),
      paid.map((record) => record.amount),
    )
    for (const [i, record] of paid.entries()) {
      const feeShare = shares[i] ?? ZERO
      parts.set(record.id, { output, paid: sat(record.amount - feeShare), feeShare })
    }
  }
  const shares = splitFee(
    version.fee,
    bearing.map(({ record }) => record.maxFee),
  )
  for (const [i, { record, output }] of bearing.entries())
    parts.set(record.id, { output, paid: record.amount, feeShare: shares[i] ?? ZERO })
  return parts
}

/** The outpoint of a part, where the id of its transaction is known. */
export const pointOf = ({ output }: Part): OutPoint | undefined =>
  output.txid === undefined ? undefined : { txid: output.txid, vout: output.vout }
