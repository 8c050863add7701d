import { randomBytes } from 'node:crypto'
import { outpointName, txidOf } from './bitcoin/transaction.ts'
import { checkLimits, checkReceipt } from './check/allowance.ts'
import { type CheckPolicy, checkTransaction, parsePsbt } from './check/check.ts'
import { type Fault, fault } from './check/refusal.ts'
import { SignerFailure } from './failure.ts'
import type { Home } from './home/home.ts'
import type { Signing } from './home/journal.ts'
import type { OpenWallet } from './home/registry.ts'
import { createCounter, DAY } from './limits.ts'
import { writePsbt } from './psbt/psbt.ts'
import { readReceipt } from './receipt.ts'
import { type SigningKey, signAll, signingKey } from './signing.ts'

export type Answer =
  | { readonly answer: 'signed'; readonly psbt: Uint8Array; readonly txHash: string }
  | { readonly answer: 'refused'; readonly faults: readonly Fault[] }
  /** Nothing was signed, and not because of the transaction. */
  | { readonly answer: 'not_ready'; readonly detail: string }

export interface WalletStatus {
  readonly name: string
  readonly descriptor: string
  readonly keys: number
  readonly max_day_sat: number
  readonly day_sat: number
}
/** Where transactions are looked at, counted and signed, one after the other. */
export interface Desk {
  sign(psbt: Uint8Array, receipt: string): Answer
  wallets(): readonly WalletStatus[]
}

const refused = (...faults: readonly Fault[]): Answer => ({ answer: 'refused', faults })

const keysOf = ({ vault, wallets }: Home): ReadonlyMap<string, readonly SigningKey[]> =>
  new Map(
    wallets.map(({ name, wallet, own }) => [
      name,
      own.flatMap((at) => {
        const master = vault.master(wallet.keys[at]?.fingerprint ?? '', wallet.family)
        return master ? [signingKey(wallet, at, master)] : []
      }),
    ]),
  )

const policyOf = ({ limits }: OpenWallet): CheckPolicy => ({
  maxFee: BigInt(limits.max_fee_sat),
  maxRate: BigInt(limits.max_fee_rate_sat_kvb),
  minRate: BigInt(limits.min_fee_rate_sat_kvb),
  changeIndexMax: limits.change_index_max,
})

export function createDesk(home: Home, clock: () => number = Date.now): Desk {
  const { journal, settings, receiptKeys, wallets, lock } = home
  const counter = createCounter(journal.records)
  const keys = keysOf(home)
  // A clock that is set back would make old receipts young and forget what was counted.
  const now = () => Math.max(clock(), journal.records.at(-1)?.at ?? 0)

  function sign(bytes: Uint8Array, receiptText: string): Answer {
    const receipt = readReceipt(receiptText, receiptKeys)
    if (!receipt) return refused(fault('receipt_invalid', 'no receipt of the registered key'))
    const parsed = parsePsbt(bytes)
    if (!parsed.ok) return refused(...parsed.faults)
    const psbt = parsed.value
    const at = now()
    const wrong = checkReceipt(receipt, txidOf(psbt.tx), at, settings.max_receipt_ms, counter)
    if (wrong) return refused(wrong)
    const open = wallets.find(({ wallet }) => wallet.checksum === receipt.descriptor)
    if (!open) return refused(fault('wallet_unknown', 'no wallet with this descriptor is here'))
    const { name, wallet } = open
    const checked = checkTransaction(wallet, psbt, receipt, policyOf(open))
    if (!checked.ok) return refused(...checked.faults)
    const { own, spent } = checked.value
    const coins = psbt.tx.inputs.map(({ outpoint }) => outpointName(outpoint))
    const plan = { wallet: name, tx_hash: receipt.txHash, coins, spent_sat: Number(spent) }
    const used = { at, nonce: receipt.nonce, expires_at: receipt.expiresAt }
    const signing = { ...used, ...plan, counted_sat: counter.added(plan) }
    const over = checkLimits(open, receipt, signing, counter)
    if (over.length > 0) return refused(...over)
    record(signing)
    const signed = signAll(wallet, psbt, own, keys.get(name) ?? [], () => randomBytes(32))
    return { answer: 'signed', psbt: writePsbt(signed), txHash: receipt.txHash }
  }

  /** On disk before anything is signed; not again for the same receipt and transaction. */
  function record(signing: Signing): void {
    if (!lock.isHeld()) throw new SignerFailure('another process took this home')
    if (counter.txOf(signing.nonce) === signing.tx_hash) return
    journal.append(signing)
    counter.count(signing)
  }

  return {
    sign(bytes, receipt) {
      try {
        return sign(bytes, receipt)
      } catch (error) {
        if (error instanceof SignerFailure) return { answer: 'not_ready', detail: error.message }
        throw error
      }
    },
    wallets: () =>
      wallets.map(({ name, wallet, own, limits }) => ({
        name,
        descriptor: wallet.descriptor,
        keys: own.length,
        max_day_sat: limits.max_day_sat,
        day_sat: counter.day(name, now()),
      })),
  }
}

/** Records that limits or receipts can still ask for. */
export const isNeededAt =
  (now: number) =>
  ({ at, expires_at: expires }: Signing): boolean =>
    at > now - DAY || expires > now
