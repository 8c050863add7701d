import {
  decodeTransaction,
  encodeTransaction,
  type Transaction,
  type TransactionOutput,
} from '../chain/transaction.ts'
import type { Provider } from '../descriptor/provider.ts'
import { must } from '../failure.ts'
import { scriptErrorText } from '../script/errors.ts'
import { newSignatureData } from './data.ts'
import { dataOfInput } from './extract.ts'
import { produceSignature } from './produce.ts'
import { hasherFor, inputSigner, wideSigner } from './signer.ts'

/** The value of a coin whose amount nobody told. */
export const UNKNOWN_AMOUNT = 2_100_000_000_000_000n
export interface SigningOutcome {
  readonly transaction: Transaction
  /** Core's words by input; empty when every input is signed. */
  readonly errors: ReadonlyMap<number, string>
}
const WORDS: Readonly<Record<string, string>> = {
  INVALID_STACK_OPERATION: 'Unable to sign input, invalid stack size (possibly missing key)',
  NULLFAIL: 'CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)',
}

/** Signs what can be signed, keeps signatures that are there. `type` 0 means the default of each script. */
export function signInputs(
  transaction: Transaction,
  spent: readonly (TransactionOutput | undefined)[],
  providerOf: (coin: TransactionOutput) => Provider,
  type = 0,
): SigningOutcome {
  const errors = new Map<number, string>()
  const hasher = hasherFor(transaction, spent)
  const single = (type & ~0x80) === 3
  const inputs = transaction.inputs.map((input, index) => {
    const coin = spent[index]
    if (!coin) {
      errors.set(index, 'Input not found or already spent')
      return input
    }
    const data = dataOfInput({ transaction, index, coin, hasher }, input)
    const signer = inputSigner(transaction, spent, index, type, hasher)
    // SINGLE without its output signs the number one: never.
    if (!single || index < transaction.outputs.length) {
      produceSignature(providerOf(coin), signer, coin.script, data)
    }
    if (coin.value === UNKNOWN_AMOUNT && data.stack.length > 0) errors.set(index, 'Missing amount')
    else if (!data.complete) {
      const fault = signer.check(data.scriptSig, data.stack)
      if (fault) errors.set(index, WORDS[fault] ?? scriptErrorText(fault))
    }
    return { ...input, script: data.scriptSig, witness: data.stack }
  })
  const raw = encodeTransaction({ ...transaction, inputs })
  return { transaction: must(decodeTransaction(raw), 'our own transaction decodes'), errors }
}

const sizeOf = (count: number): number => (count < 253 ? 1 : count < 65_536 ? 3 : 5)
/** Most weight units that spending this output can take, without the byte that counts an empty witness. Undefined when unsolvable. */
export function spendingWeight(
  script: Uint8Array,
  provider: Provider,
): { readonly weight: number; readonly witness: boolean } | undefined {
  const data = newSignatureData()
  if (!produceSignature(provider, wideSigner, script, data)) return undefined
  const sig = data.scriptSig.length
  const base = 40 + sizeOf(sig) + sig
  const items = data.stack.reduce((sum, item) => sum + sizeOf(item.length) + item.length, 0)
  const witness = data.stack.length > 0 ? sizeOf(data.stack.length) + items : 0
  return { weight: base * 4 + witness, witness: data.stack.length > 0 }
}
