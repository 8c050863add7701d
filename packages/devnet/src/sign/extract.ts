import type { TransactionInput } from '../chain/transaction.ts'
import { classifyScript, parseScript } from '../script/script.ts'
import { ecdsaHolds, multisigParts, type SpendingInput, spendError } from './check.ts'
import { addSignature, newSignatureData, type SignatureData } from './data.ts'

/** What an input of a half-signed transaction already holds: scripts, and multisig signatures by key. */
export function dataOfInput(
  at: SpendingInput,
  input: Pick<TransactionInput, 'script' | 'witness'>,
): SignatureData {
  const { hasher, index, coin } = at
  const data = newSignatureData()
  data.scriptSig = input.script
  data.stack = input.witness
  const spend = { scriptSig: data.scriptSig, stack: data.stack }
  if (spendError(at, spend) === undefined) {
    data.complete = true
    data.witness = input.witness.length > 0
    return data
  }
  let script = coin.script
  let items = (parseScript(input.script) ?? []).map((piece) => piece.data ?? new Uint8Array())
  let segwit = false
  const last = items[items.length - 1]
  if (classifyScript(script).kind === 'scripthash' && last && last.length > 0) {
    data.redeemScript = last
    script = last
    items = items.slice(0, -1)
  }
  const inner = input.witness[input.witness.length - 1]
  if (classifyScript(script).kind === 'witness_v0_scripthash' && inner && inner.length > 0) {
    data.witnessScript = inner
    script = inner
    items = input.witness.slice(0, -1)
    segwit = true
  }
  if (classifyScript(script).kind !== 'multisig') return data
  const digest = (type: number): Uint8Array =>
    segwit ? hasher.segwit(index, script, coin.value, type) : hasher.legacy(index, script, type)
  for (const signature of items) {
    const publicKey = multisigParts(script).keys.find((key) => ecdsaHolds(signature, key, digest))
    if (publicKey) addSignature(data, { publicKey, signature })
  }
  return data
}
/** Adds what another holds. A complete one wins. */
export function mergeData(into: SignatureData, from: SignatureData): void {
  if (into.complete) return
  if (from.complete) {
    Object.assign(into, { complete: true, scriptSig: from.scriptSig, stack: from.stack })
    into.witness = from.witness
    return
  }
  into.redeemScript ??= from.redeemScript
  into.witnessScript ??= from.witnessScript
  for (const partial of from.signatures.values()) addSignature(into, partial)
}
