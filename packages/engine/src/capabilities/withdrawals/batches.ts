import { equalBytes, type Sat, sumSat } from '../../kernel/index.ts'
import type { DraftPayment, FeeSpeed } from '../spending/index.ts'
import type { WithdrawalRecord } from './ports.ts'

/** Withdrawals that can share a transaction: who bears the fee, how soon, and who must approve are alike. */
export interface Group {
  readonly feeFrom: 'change' | 'payments'
  /** Asked for, each of them; the highest rate that is answered serves all. */
  readonly speeds: readonly FeeSpeed[]
  /** Oldest first. */
  readonly members: readonly WithdrawalRecord[]
}

/** Nobody shares a transaction with somebody who would not pay its rate, or who waits for people. */
function kindOf({ feePayer, speed, verdict }: WithdrawalRecord): string {
  const bearer = feePayer === 'recipient' ? 'payments' : 'change'
  const isPatient = speed.kind === 'priority' && speed.priority === 'low'
  const pace = speed.kind === 'rate' ? `rate ${speed.rate}` : isPatient ? 'low' : 'soon'
  return `${bearer}/${pace}/${verdict.transactionApprovals}`
}

/**
 * What is planned now: the groups that have somebody whose time has come. Who could wait longer comes along, because that
 * costs each of them less; who could not be served last time does not, until it is looked at again.
 */
export function groupsOf(
  records: readonly WithdrawalRecord[],
  now: number,
  most: number,
): readonly Group[] {
  const isDue = ({ planAt }: WithdrawalRecord) => planAt === undefined || planAt <= now
  const ready = records.filter((record) => isDue(record) || record.waitsFor === undefined)
  return [...Map.groupBy(ready, kindOf).values()]
    .filter((members) => members.some(isDue))
    .map((members) => {
      // Those whose time has come are in the batch for certain.
      const chosen = [...members.filter(isDue), ...members.filter((one) => !isDue(one))]
        .slice(0, most)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      const [first] = chosen
      return {
        feeFrom: first?.feePayer === 'recipient' ? 'payments' : 'change',
        speeds: speedsOf(chosen),
        members: chosen,
      }
    })
}

function speedsOf(members: readonly WithdrawalRecord[]): readonly FeeSpeed[] {
  const deadlines = members.flatMap(({ speed }) => (speed.kind === 'deadline' ? [speed.at] : []))
  const others = new Map(
    members.flatMap(({ speed }) =>
      speed.kind === 'deadline'
        ? []
        : [[speed.kind === 'rate' ? `${speed.rate}` : speed.priority, speed] as const],
    ),
  )
  const soonest =
    deadlines.length > 0 ? [{ kind: 'deadline', at: Math.min(...deadlines) } as const] : []
  return [...others.values(), ...soonest]
}

/** One output for each, or for each address where the platform wants that. */
export function paymentsFor(
  members: readonly WithdrawalRecord[],
  mergesAddresses: boolean,
): readonly DraftPayment[] {
  const outputs: { script: Uint8Array; amounts: Sat[]; withdrawals: WithdrawalRecord['id'][] }[] =
    []
  for (const { id, script, amount } of members) {
    const known = mergesAddresses
      ? outputs.find((output) => equalBytes(output.script, script))
      : undefined
    if (known) {
      known.amounts.push(amount)
      known.withdrawals.push(id)
    } else outputs.push({ script, amounts: [amount], withdrawals: [id] })
  }
  return outputs.map(({ script, amounts, withdrawals }) => ({
    script,
    amount: sumSat(amounts),
    withdrawals,
  }))
}

/**
 * Whom a refused plan leaves out, so that the others are served all the same (W18); nobody when it would serve no one.
 * @param means all coins there are, satoshi: what they cannot pay is left out at once, because each plan looks at every coin
 */
export function withoutCulprit(
  code: string,
  members: readonly WithdrawalRecord[],
  means: bigint,
): readonly WithdrawalRecord[] {
  const without = (worst: (a: WithdrawalRecord, b: WithdrawalRecord) => boolean) => {
    const culprit = members.reduce((a, b) => (worst(b, a) ? b : a))
    return members.filter((member) => member !== culprit)
  }
  switch (code) {
    case 'FEE_CEILING_EXCEEDED':
      return without((a, b) => a.maxFee < b.maxFee)
    case 'AMOUNT_IS_DUST':
      return without((a, b) => a.amount < b.amount)
    case 'FUNDS_INSUFFICIENT':
      // One that is too large for the coins of the moment must not hold up all the others.
      return within(
        means,
        without((a, b) => a.amount > b.amount),
      )
    case 'TRANSACTION_TOO_HEAVY':
      return members.slice(0, Math.floor(members.length / 2))
    default:
      return []
  }
}

/** The smallest of them that come to no more than this, in their order. */
function within(means: bigint, members: readonly WithdrawalRecord[]): readonly WithdrawalRecord[] {
  const out = new Set<WithdrawalRecord>()
  let sum: bigint = sumSat(members.map(({ amount }) => amount))
  for (const member of members.toSorted((a, b) => (a.amount > b.amount ? -1 : 1))) {
    if (sum <= means) break
    out.add(member)
    sum -= member.amount
  }
  return members.filter((member) => !out.has(member))
}
