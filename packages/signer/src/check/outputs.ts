import type { Wallet } from '../bitcoin/descriptor.ts'
import { dustBelow } from '../bitcoin/script.ts'
import { MAX_SAT, type TxOutput } from '../bitcoin/transaction.ts'
import { equal, Malformed, toHex } from '../bytes.ts'
import { GLOBAL, OUT, type PairMap, type Psbt, several, single } from '../psbt/psbt.ts'
import type { Payment } from '../receipt.ts'
import { claimOf, originsOf } from './places.ts'
import { type Fault, fault } from './refusal.ts'

/** Payments still to be found, by script. */
class Requested {
  readonly #amounts = new Map<string, bigint[]>()

  constructor(payments: readonly Payment[]) {
    for (const { script, amount } of payments) {
      const key = toHex(script)
      this.#amounts.set(key, [...(this.#amounts.get(key) ?? []), amount])
    }
  }
  isPaid({ script }: TxOutput): boolean {
    return this.#amounts.has(toHex(script))
  }
  /** Takes one payment, or all that remain to this script in one sum. */
  take({ script, amount }: TxOutput): boolean {
    const left = this.#amounts.get(toHex(script)) ?? []
    const at = left.indexOf(amount)
    if (at >= 0) left.splice(at, 1)
    else if (left.length > 0 && left.reduce((sum, each) => sum + each, 0n) === amount)
      left.length = 0
    else return false
    return true
  }
  get missing(): number {
    return [...this.#amounts.values()].reduce((sum, { length }) => sum + length, 0)
  }
}

function changeFault(
  wallet: Wallet,
  output: TxOutput,
  map: PairMap,
  indexMax: number,
  name: string,
): Fault | undefined {
  const origins = originsOf(several(map, OUT.derivation), several(map, OUT.tapDerivation))
  if (!origins) throw new Malformed('a key origin')
  const claim = claimOf(wallet, origins, indexMax)
  switch (claim.found) {
    case 'nothing':
      return fault('unknown_output', `${name} is neither asked for nor shown to be ours`)
    case 'path':
      return fault('change_path', `${name} is at a place where nobody would look for it`)
    case 'keys':
      return fault('change_not_ours', `${name} names keys that are not the wallet's`)
    case 'place': {
      const { place } = claim
      if (place.branch !== 1) return fault('change_path', `${name} is on the branch of receiving`)
      const told = single(map, OUT.witnessScript) ?? place.witnessScript
      const redeem = single(map, OUT.redeemScript) ?? place.redeemScript
      const isOurs =
        equal(place.script, output.script) &&
        isSame(told, place.witnessScript) &&
        isSame(redeem, place.redeemScript)
      return isOurs
        ? undefined
        : fault('change_not_ours', `${name} has a script that is not the wallet's`)
    }
  }
}

const isSame = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && equal(a, b))

/** Every output is a payment of the receipt or our change; every payment is there once. @throws Malformed */
export function checkOutputs(
  wallet: Wallet,
  { tx, outputs }: Psbt,
  payments: readonly Payment[],
  indexMax: number,
): { readonly faults: readonly Fault[]; readonly returned: bigint } {
  const faults: Fault[] = []
  const requested = new Requested(payments)
  let returned = 0n
  for (const [i, output] of tx.outputs.entries()) {
    const name = `output ${i} of ${output.amount} sat`
    if (output.amount > MAX_SAT) {
      faults.push(fault('amount_range', `output ${i} is above 21 million BTC`))
    } else if (output.amount < dustBelow(output.script)) {
      faults.push(fault('dust', `${name} is dust`))
    }
    if (requested.take(output)) continue
    if (requested.isPaid(output)) {
      faults.push(fault('request_mismatch', `${name} is not the amount that was asked for`))
      continue
    }
    const wrong = changeFault(wallet, output, outputs[i] as PairMap, indexMax, name)
    if (wrong) faults.push(wrong)
    else returned += output.amount
  }
  if (requested.missing > 0) {
    faults.push(
      fault('request_mismatch', `${requested.missing} payments are not there as asked for`),
    )
  }
  return { faults, returned }
}

/** Extended keys in the file never extend a wallet: only those of the registered descriptor may stand there. */
export function checkXpubs(wallet: Wallet, { global }: Psbt): readonly Fault[] {
  const isOurs = (keyData: Uint8Array, value: Uint8Array) =>
    wallet.keys.some(({ serialized, fingerprint, path }) => {
      const origin = originsOf([{ type: 0, keyData: new Uint8Array(33), value }], [])?.[0]
      return (
        equal(serialized, keyData) &&
        origin?.fingerprint === fingerprint &&
        origin.path.length === path.length &&
        path.every((step, i) => step === origin.path[i])
      )
    })
  return several(global, GLOBAL.xpub).some(({ keyData, value }) => !isOurs(keyData, value))
    ? [fault('foreign_xpub', 'an extended key that is not of the registered wallet')]
    : []
}
