import type { Txid } from '../../kernel/index.ts'
import type { Descriptor } from '../../protocol/descriptor/index.ts'
import { createPsbt, encodePsbt, parsePsbt } from '../../protocol/psbt/index.ts'
import { encodeTransaction, txidOf } from '../../protocol/transaction/index.ts'
import { finalTxid, type PlannedTransaction, unsignedOf } from './plan.ts'
import type { PreviousTransactions } from './previous.ts'

/**
 * The PSBT of a plan: scripts and key origins of every coin and of our change, so that a device can prove to itself what is ours,
 * and the whole previous transactions of coins whose amounts signatures do not cover safely. Version 0 (BIP 174, 371).
 * @throws AssertionError for a plan that contradicts itself, the descriptor or a previous transaction
 */
export function packPsbt(
  descriptor: Descriptor,
  planned: PlannedTransaction,
  previous: PreviousTransactions,
): { readonly psbt: Uint8Array; readonly txid: Txid | undefined } {
  const psbt = createPsbt({
    transaction: unsignedOf(planned),
    inputs: planned.inputs.map(({ txid, branch, index, amount, script }) => {
      const raw = previous.get(txid)
      const proof = raw === undefined ? {} : { previous: raw }
      return { descriptor, branch, index, amount, script, ...proof }
    }),
    outputs: planned.outputs.map(({ role }) =>
      role.kind === 'change' ? { descriptor, branch: role.branch, index: role.index } : {},
    ),
  })
  const redeemScripts = psbt.inputs.map((input) => input.redeemScript)
  return { psbt: encodePsbt(psbt), txid: finalTxid(planned, redeemScripts) }
}

/** Taproot signatures cover every amount (BIP 341); before that a device must see the transactions that made the coins. */
export const needsPrevious = ({ kind }: Descriptor): boolean => kind !== 'tr'

/** The previous transactions that a PSBT of ours carries: a later version need not ask the node for them again. */
export function previousIn(psbt: Uint8Array): PreviousTransactions {
  const parsed = parsePsbt(psbt)
  const found = new Map<Txid, Uint8Array>()
  if (!parsed.ok) return found
  for (const { previous } of parsed.value.inputs)
    if (previous) found.set(txidOf(previous), encodeTransaction(previous))
  return found
}
