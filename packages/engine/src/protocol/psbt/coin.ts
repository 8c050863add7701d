import { equalBytes } from '../../kernel/index.ts'
import { classifyOutput } from '../script/index.ts'
import { type TransactionOutput, txidOf } from '../transaction/index.ts'
import type { Psbt, PsbtInput } from './model.ts'
import type { PsbtFaultReason } from './policy.ts'
import { redeemScriptOf } from './shown.ts'

/** Something that is wrong with one input or output. */
export interface PartFault {
  readonly reason: PsbtFaultReason
  readonly message: string
}
export const part = (reason: PsbtFaultReason, message: string): PartFault => ({ reason, message })

/** The coin that an input spends, as far as its map proves it. */
export interface Coin {
  readonly coin?: TransactionOutput
  readonly faults: readonly PartFault[]
}

const WITNESS_TYPES: readonly string[] = ['p2wpkh', 'p2wsh', 'p2tr', 'p2a', 'witness_unknown']

/** True where signatures cover the amount of the coin, so that a witness output may describe it. */
function isWitnessCoin({ script }: TransactionOutput, input: PsbtInput): boolean {
  const { type } = classifyOutput(script)
  if (type !== 'p2sh') return WITNESS_TYPES.includes(type)
  const redeemScript = redeemScriptOf(input)
  const inner = redeemScript && classifyOutput(redeemScript).type
  return inner === 'p2wpkh' || inner === 'p2wsh'
}

/**
 * What input `index` spends. The previous transaction is believed when its txid is the one of the outpoint; a witness output alone
 * is believed because signatures of a wrong amount would not be valid. Source: BIP 174, signer checks.
 */
export function coinOf(psbt: Psbt, index: number): Coin {
  const input = psbt.inputs[index]
  const spends = psbt.transaction.inputs[index]
  if (!input || !spends) return { faults: [part('utxo_missing', 'there is no such input')] }
  const { previous, witnessUtxo } = input
  const faults: PartFault[] = []
  if (!previous && !witnessUtxo) {
    return { faults: [part('utxo_missing', 'the input says nothing about its coin')] }
  }
  if (witnessUtxo && !isWitnessCoin(witnessUtxo, input)) {
    faults.push(part('utxo_kind', 'a coin without witness is described by a witness output'))
  }
  if (!previous) return witnessUtxo ? { coin: witnessUtxo, faults } : { faults }
  const made = previous.outputs[spends.vout]
  if (txidOf(previous) !== spends.txid || !made) {
    const message = 'the previous transaction is not the one that made the coin'
    return { faults: [...faults, part('previous_tx_mismatch', message)] }
  }
  if (witnessUtxo) {
    const isSame = witnessUtxo.amount === made.amount && equalBytes(witnessUtxo.script, made.script)
    if (!isSame) {
      const message = `the witness output says ${witnessUtxo.amount} sat, the previous transaction ${made.amount} sat`
      faults.push(part('utxo_mismatch', message))
    }
  }
  return { coin: made, faults }
}
