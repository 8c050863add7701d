import type { Transaction, TransactionOutput } from '../chain/transaction.ts'
import { TransactionChecker } from '../script/checker.ts'
import { isStrictSignature } from '../script/der.ts'
import { verifyEcdsa } from '../script/curve.ts'
import type { ScriptError } from '../script/errors.ts'
import { STANDARD_FLAGS } from '../script/flags.ts'
import { parseScript } from '../script/script.ts'
import type { SignatureHasher } from '../script/sighash.ts'
import { verifySpend } from '../script/spend.ts'

/** One ECDSA signature with its hash type at the end, in the strict encoding. */
export function ecdsaHolds(
  signature: Uint8Array,
  key: Uint8Array,
  digest: (type: number) => Uint8Array,
): boolean {
  if (!isStrictSignature(signature)) return false
  const type = signature[signature.length - 1] ?? 0
  return verifyEcdsa(signature.subarray(0, -1), digest(type), key)
}
/** Keys and threshold of a bare multisig script. */
export function multisigParts(script: Uint8Array): { least: number; keys: Uint8Array[] } {
  const pieces = parseScript(script) ?? []
  const keys = pieces.slice(1, -2).map((piece) => piece.data ?? new Uint8Array())
  return { least: (pieces[0]?.opcode ?? 0x50) - 0x50, keys }
}
/** An input as it stands among the others of its transaction. `hasher` must know all spent outputs when `coin` is taproot. */
export interface SpendingInput {
  readonly transaction: Transaction
  readonly index: number
  readonly coin: TransactionOutput
  readonly hasher: SignatureHasher
}
export interface Spend {
  readonly scriptSig: Uint8Array
  readonly stack: readonly Uint8Array[]
}
/** Why this spend does not hold under Core's standard flags; undefined when it does. */
export function spendError(
  { transaction, index, coin, hasher }: SpendingInput,
  { scriptSig, stack }: Spend,
): ScriptError | undefined {
  return verifySpend({
    scriptSig,
    scriptPubKey: coin.script,
    witness: stack,
    flags: STANDARD_FLAGS,
    checker: new TransactionChecker(hasher, transaction, index, coin.value),
  })
}
