import { addSat, paymentId, type Sat, subSat, type WalletId, ZERO } from '../../kernel/index.ts'
import type { DepositRows } from '../deposits/index.ts'
import {
  type Account,
  type EntryKind,
  HOUSE,
  heldAccount,
  owedAccount,
  type Posting,
  spentAccount,
  unassignedAccount,
} from '../ledger/index.ts'
import { isHeld } from './machine.ts'
import type { WithdrawalRecord } from './ports.ts'

/** What a withdrawal holds of its payer's account: a customer who bears the fee must have the most that it may be. */
export const holdOf = ({
  amount,
  feePayer,
  maxFee,
}: Pick<WithdrawalRecord, 'amount' | 'feePayer' | 'maxFee'>): Sat =>
  feePayer === 'customer' ? addSat(amount, maxFee) : amount
/** Whose account is debited. */
export const payerOf = ({ customer }: Pick<WithdrawalRecord, 'customer'>): Account =>
  customer === undefined ? HOUSE : owedAccount(customer)

/** The wallet of ours that a withdrawal paid without anybody being owed for it. */
export type OwnTarget = WalletId | undefined

/** One movement that stands as long as the status does, and the kind of the entry that undoes it. */
interface Line {
  readonly kind: EntryKind
  readonly undo: EntryKind
  readonly debit: Account
  readonly credit: Account
  readonly amount: Sat
}

/**
 * Everything that the books should say of a withdrawal, whatever they said before. What leaves the wallet leaves `spent`,
 * where the coins of its transaction and the change that came back were booked: together with the network's fee that makes
 * zero. Money that came to an address of our own, for which nobody is owed, did not leave at all: it goes back to the house,
 * or waits for a person where it was a customer's.
 */
function linesOf(record: WithdrawalRecord, own: OwnTarget): readonly Line[] {
  const { status, wallet, customer, feePayer } = record
  const held = heldAccount(record.id)
  const payer = payerOf(record)
  const amount = holdOf(record)
  const hold: Line = { kind: 'hold', undo: 'release', debit: payer, credit: held, amount }
  if (isHeld(status)) return [hold]
  if (status !== 'settled') return []
  const { paid = record.amount, feeShare = ZERO } = record
  const share = feePayer === 'platform' ? ZERO : feeShare
  const rest = subSat(subSat(amount, paid), share)
  const spent = spentAccount(wallet)
  const capture = { kind: 'capture', undo: 'uncapture' } as const
  const target = customer === undefined ? HOUSE : unassignedAccount(own ?? wallet)
  const lines: Line[] = [
    hold,
    { ...capture, debit: held, credit: own === undefined ? spent : target, amount: paid },
    // Both wallets had it in `spent`: one as gone, the other as come back.
    ...(own === undefined || own === wallet
      ? []
      : [{ ...capture, debit: spentAccount(own), credit: spent, amount: paid }]),
    { kind: 'fee', undo: 'unfee', debit: held, credit: HOUSE, amount: share },
    { kind: 'release', undo: 'hold', debit: held, credit: payer, amount: rest },
  ]
  return lines.filter((line) => line.amount > 0n)
}
const isSame = (a: Line, b: Line): boolean =>
  a.kind === b.kind && a.debit === b.debit && a.credit === b.credit && a.amount === b.amount

/** A withdrawal with where its money went, before and after a change. */
export interface Booked {
  readonly record: WithdrawalRecord
  readonly own: OwnTarget
}
/**
 * The entries that lead from what the books say to what they should say, and the record with the count of them. Nothing is
 * edited: what no longer holds is undone by its counter entry, in the opposite order.
 * @param before undefined for a request that is new
 */
export function bookChange(
  before: Booked | undefined,
  after: Booked,
): { readonly record: WithdrawalRecord; readonly postings: readonly Posting[] } {
  const was = before ? linesOf(before.record, before.own) : []
  const wanted = linesOf(after.record, after.own)
  const undone = was
    .filter((line) => !wanted.some((other) => isSame(line, other)))
    .reverse()
    .map(({ undo, debit, credit, amount }) => ({
      kind: undo,
      debit: credit,
      credit: debit,
      amount,
    }))
  const done = wanted
    .filter((line) => !was.some((other) => isSame(line, other)))
    .map(({ kind, debit, credit, amount }) => ({ kind, debit, credit, amount }))
  const { id, wallet, posted } = after.record
  const postings = [...undone, ...done].map(
    (move, i): Posting => ({ key: `${id}/${posted + i + 1}`, ...move, wallet }),
  )
  return { record: { ...after.record, posted: posted + postings.length }, postings }
}

/** Which of these paid an address of ours that nobody is owed for: the deposits' side took it for change. */
export async function ownTargets(
  tx: { readonly deposits: DepositRows },
  records: readonly WithdrawalRecord[],
): Promise<(record: WithdrawalRecord) => OwnTarget> {
  const settled = records.flatMap(({ status, output }) =>
    status === 'settled' && output ? [paymentId(output)] : [],
  )
  if (settled.length === 0) return () => undefined
  const payments = await tx.deposits.payments(settled)
  const wallets = new Map(
    payments.flatMap(({ id, purpose, wallet }) => (purpose === 'change' ? [[id, wallet]] : [])),
  )
  return ({ status, output }) =>
    status === 'settled' && output ? wallets.get(paymentId(output)) : undefined
}
