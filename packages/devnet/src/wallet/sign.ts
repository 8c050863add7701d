import type { Transaction, TransactionOutput } from '../chain/transaction.ts'
import { decodeTransaction, encodeTransaction } from '../chain/transaction.ts'
import { Provider } from '../descriptor/provider.ts'
import { must } from '../failure.ts'
import { isFinal, type Psbt, type PsbtInput } from '../psbt/psbt.ts'
import {
  dropPreviousTransactions,
  isSpent,
  signInput,
  signingOf,
  updateOutput,
} from '../psbt/update.ts'
import { type SigningOutcome, signInputs } from '../sign/transaction.ts'
import type { Draft } from './build.ts'
import type { Wallet } from './wallet.ts'

/** Signs with everything that the wallet knows of the spent coins. */
export function signWithWallet(
  wallet: Wallet,
  transaction: Transaction,
  spent: readonly (TransactionOutput | undefined)[],
  type = 0,
): SigningOutcome {
  const known = (coin: TransactionOutput) => wallet.providerOf(coin.script) ?? new Provider()
  return signInputs(transaction, spent, known, type)
}
/** The signed transaction of a draft; undefined when a key is missing. */
export function signDraft(wallet: Wallet, draft: Draft): Transaction | undefined {
  const unsigned = must(decodeTransaction(encodeTransaction(draft)), 'a draft has inputs')
  const { transaction, errors } = signWithWallet(wallet, unsigned, draft.spent)
  return errors.size === 0 ? transaction : undefined
}

export interface FillOptions {
  readonly sign: boolean
  /** 0 is the default of each script. */
  readonly type: number
  /** Tell where keys come from. */
  readonly origins: boolean
  readonly finalize: boolean
}
export type FillFault = 'sighash mismatch' | 'missing inputs'
/** Keys that the PSBT names and the wallet has, for scripts that are not the wallet's own. */
function providerOfKeys(wallet: Wallet, input: PsbtInput, script: Uint8Array): Provider {
  const provider = new Provider()
  const names = [...input.keys.values()].map(({ origin }) => origin)
  const taproot = [...input.tapOrigins.values()].map(({ origin }) => origin)
  const wanted = [...names, ...taproot]
  for (const record of wallet.records) {
    // A key is found by its place in the range: the last step of its path.
    for (const { path } of wanted) {
      const index = path[path.length - 1] ?? 0
      if (index >= record.rangeEnd) continue
      const own = record.provider(record.descriptor.ranged ? index : 0)
      for (const [id, key] of own.publicKeys) {
        const named = [...input.keys.values()].some(({ publicKey }) => same(publicKey, key))
        const inTree = input.tapOrigins.has(Buffer.from(key.slice(-32)).toString('hex'))
        if (named || inTree || same(script.subarray(2), key.slice(-32)))
          provider.merge(only(own, id))
      }
    }
  }
  return provider
}
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
/** One key of a provider with what belongs to it. */
function only(from: Provider, id: string): Provider {
  const part = new Provider()
  const key = from.publicKeys.get(id)
  const origin = from.origins.get(id)
  if (key && origin) part.addKey({ publicKey: key, origin, secret: from.secrets.get(id) })
  return part
}
/** Fills a PSBT with what the wallet knows and signs where it can. Returns whether every input is complete. */
export function fillPsbt(
  wallet: Wallet,
  psbt: Psbt,
  options: FillOptions,
): { readonly complete: boolean } | { readonly fault: FillFault } {
  psbt.inputs.forEach((input, at) => {
    const outpoint = psbt.transaction.inputs[at]
    if (isFinal(input) || input.nonWitnessUtxo || !outpoint) return
    input.nonWitnessUtxo = wallet.ledger.entries.get(outpoint.txid)?.transaction
  })
  const signing = signingOf(psbt)
  for (const [index, input] of psbt.inputs.entries()) {
    if (isFinal(input)) continue
    if (options.sign && input.sighashType !== undefined && input.sighashType !== options.type) {
      return { fault: 'sighash mismatch' }
    }
    const vout = psbt.transaction.inputs[index]?.vout ?? 0
    if (!input.witnessUtxo && input.nonWitnessUtxo && vout >= input.nonWitnessUtxo.outputs.length) {
      return { fault: 'missing inputs' }
    }
    const script = input.witnessUtxo?.script ?? input.nonWitnessUtxo?.outputs[vout]?.script
    if (!script) continue
    const known = wallet.providerOf(script) ?? providerOfKeys(wallet, input, script)
    const shown = known.hiding({ secrets: !options.sign, origins: !options.origins })
    signInput(psbt, index, shown, signing, options)
  }
  psbt.transaction.outputs.forEach(({ script }, index) => {
    const known = wallet.providerOf(script)
    if (known) updateOutput(psbt, index, known.hiding({ origins: !options.origins }))
  })
  dropPreviousTransactions(psbt, options.type)
  return { complete: psbt.inputs.every((_, index) => isSpent(psbt, index, signing)) }
}
