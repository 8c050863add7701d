import type { Wallet } from '../bitcoin/descriptor.ts'
import { Malformed } from '../bytes.ts'
import { type Psbt, readPsbt, UnknownVersion } from '../psbt/psbt.ts'
import type { Receipt } from '../receipt.ts'
import { checkInputs, checkSignatures, type OwnInput } from './inputs.ts'
import { checkFee, type FeeLimits } from './money.ts'
import { checkOutputs, checkXpubs } from './outputs.ts'
import { type Fault, fault } from './refusal.ts'

/** A transaction that may be signed, with what signing and counting need. */
export interface Checked {
  readonly own: readonly OwnInput[]
  readonly fee: bigint
  /** What leaves the wallet: payments and fee. */
  readonly spent: bigint
}
export type Checks<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly Fault[] }

export interface CheckPolicy extends FeeLimits {
  /** The highest index of change that a wallet would be searched for. */
  readonly changeIndexMax: number
}

const no = (faults: readonly Fault[]): Checks<never> => ({ ok: false, faults })

/** Runs a reader of foreign bytes. */
function reading<T>(read: () => T): Checks<T> {
  try {
    return { ok: true, value: read() }
  } catch (error) {
    if (error instanceof UnknownVersion) return no([fault('version', error.message)])
    if (error instanceof Malformed) return no([fault('malformed', error.message)])
    throw error
  }
}

export const parsePsbt = (bytes: Uint8Array): Checks<Psbt> => reading(() => readPsbt(bytes))

/** Below it a lock time is a height, from there on seconds. */
const TIME_FROM = 500_000_000

function checkFrame({ tx }: Psbt, { tipHeight, issuedAt }: Receipt): readonly Fault[] {
  const faults: Fault[] = []
  if (tx.version < 1 || tx.version > 3) {
    faults.push(fault('version', `transactions of version ${tx.version} are not relayed`))
  }
  const now = tx.lockTime < TIME_FROM ? tipHeight : Math.floor(issuedAt / 1000)
  if (tx.lockTime > now) {
    faults.push(fault('locktime', `lock time ${tx.lockTime} keeps it back beyond ${now}`))
  }
  return faults
}

/**
 * Holds a PSBT against the wallet as it is registered here and the payments of the receipt. Every fault is reported. Nothing in the PSBT is believed:
 * amounts come from whole previous transactions, scripts and keys from the registered descriptor.
 */
export function checkTransaction(
  wallet: Wallet,
  psbt: Psbt,
  receipt: Receipt,
  policy: CheckPolicy,
): Checks<Checked> {
  const read = reading(() => {
    const { own, coins, faults } = checkInputs(wallet, psbt)
    const outputs = checkOutputs(wallet, psbt, receipt.payments, policy.changeIndexMax)
    const ceiling = receipt.maxFee < policy.maxFee ? receipt.maxFee : policy.maxFee
    const money = checkFee(wallet, psbt.tx, coins, { ...policy, maxFee: ceiling })
    const all = [...checkFrame(psbt, receipt), ...faults, ...outputs.faults]
    all.push(...money.faults, ...checkXpubs(wallet, psbt))
    const ours = own.flatMap((input) => input ?? [])
    if (ours.length === psbt.tx.inputs.length) all.push(...checkSignatures(wallet, psbt, ours))
    const had = ours.reduce((sum, { coin }) => sum + coin.amount, 0n)
    return { faults: all, checked: { own: ours, fee: money.fee, spent: had - outputs.returned } }
  })
  if (!read.ok) return read
  const { faults, checked } = read.value
  return faults.length > 0 ? no(faults) : { ok: true, value: checked }
}
