import { MAX_SAT, outPointKey, toHex } from '../../kernel/index.ts'
import { dustThreshold } from '../amounts/index.ts'
import { deriveScripts } from '../descriptor/index.ts'
import { nobleCurve } from '../keys/index.ts'
import type { LookExpectation } from './expectation.ts'
import { fault, type LookFault } from './fault.ts'
import type { SeenTransaction } from './read.ts'

/** The branch of a descriptor that makes change. Source: BIP 44, BIP 389. */
const CHANGE = 1

/** Amounts still to be found, by script. */
class Wanted {
  readonly #byScript = new Map<string, { amounts: bigint[]; readonly ids: string[] }>()

  add(script: Uint8Array, amount: bigint, id: string): void {
    const key = toHex(script)
    const entry = this.#byScript.get(key) ?? { amounts: [], ids: [] }
    entry.amounts.push(amount)
    entry.ids.push(id)
    this.#byScript.set(key, entry)
  }
  /** Takes `amount` to `script`: one of the amounts, or all of them in one sum. */
  take(script: string, amount: bigint): boolean {
    const entry = this.#byScript.get(script)
    if (!entry || entry.amounts.length === 0) return false
    const at = entry.amounts.indexOf(amount)
    if (at >= 0) entry.amounts.splice(at, 1)
    else if (amount !== entry.amounts.reduce((sum, each) => sum + each, 0n)) return false
    else entry.amounts = []
    return true
  }
  /** The ids of scripts of which something was not found. */
  missing(): string[] {
    return [...this.#byScript.values()].flatMap(({ amounts, ids }) =>
      amounts.length > 0 ? [ids.join(', ')] : [],
    )
  }
}

function wantedChange({ descriptor, change, changeEnd }: LookExpectation): Wanted | LookFault {
  const wanted = new Wanted()
  for (const { index, amount } of change) {
    if (descriptor.branches <= CHANGE || index < 0 || index >= changeEnd) {
      return fault('change_index', `change ${index} is not below ${changeEnd}`, { index })
    }
    // The plain curve: what made the address was another one.
    const [script] = deriveScripts(descriptor, CHANGE, index, 1, nobleCurve)
    if (script) wanted.add(script, amount, `change ${index}`)
  }
  return wanted
}

/** Every output is a payment that was asked for or our change; every payment and every change is there once; none is dust. */
export function outputFaults(seen: SeenTransaction, expected: LookExpectation): LookFault[] {
  const faults: LookFault[] = []
  const payments = new Wanted()
  for (const { id, script, amount } of expected.payments) payments.add(script, amount, id)
  const change = wantedChange(expected)
  if (!(change instanceof Wanted)) return [change]
  for (const [vout, { amount, script }] of seen.outputs.entries()) {
    const details = { vout, amount_sat: Number(amount) }
    if (amount > MAX_SAT) {
      faults.push(fault('amount_range', `output ${vout} is above 21 million BTC`, { vout }))
      continue
    }
    const hex = toHex(script)
    if (!payments.take(hex, amount) && !change.take(hex, amount)) {
      const what = `output ${vout} of ${amount} sat is neither asked for nor our change`
      faults.push(fault('unknown_output', what, details))
    }
    if (amount < dustThreshold(script, expected.limits.dustRate)) {
      faults.push(fault('dust', `output ${vout} of ${amount} sat is dust`, details))
    }
  }
  for (const ids of payments.missing()) {
    faults.push(fault('payment_missing', `not paid as asked: ${ids}`, { ids }))
  }
  for (const ids of change.missing()) {
    faults.push(fault('change_missing', `not there as planned: ${ids}`, { ids }))
  }
  return faults
}

/** Each leased coin is spent once, the anchor among them, and nothing else is spent. */
export function coinFaults(seen: SeenTransaction, expected: LookExpectation): LookFault[] {
  const faults: LookFault[] = []
  const spent = new Set<string>()
  const leased = new Map(expected.coins.map((coin) => [outPointKey(coin), coin]))
  for (const input of seen.inputs) {
    const key = outPointKey(input)
    const coin = leased.get(key)
    const details = { coin: key }
    if (spent.has(key))
      faults.push(fault('duplicate_input', `the coin ${key} is spent twice`, details))
    spent.add(key)
    if (!coin) {
      faults.push(fault('foreign_input', `the coin ${key} was not leased for this`, details))
    } else if (input.sequence !== coin.sequence) {
      const what = `sequence ${input.sequence} instead of ${coin.sequence} at ${key}`
      faults.push(fault('sequence', what, details))
    }
    // A relative lock (BIP 68) would keep back what is final otherwise.
    if (seen.version >= 2 && input.sequence < 0x8000_0000) {
      faults.push(fault('sequence', `a relative lock at ${key}`, details))
    }
  }
  for (const key of leased.keys()) {
    if (!spent.has(key))
      faults.push(fault('missing_input', `the coin ${key} is not spent`, { coin: key }))
  }
  const anchor = outPointKey(expected.anchor)
  if (!spent.has(anchor)) {
    const what = `the anchor ${anchor} is not spent: an earlier version could be mined as well`
    faults.push(fault('anchor_missing', what, { coin: anchor }))
  }
  return faults
}
