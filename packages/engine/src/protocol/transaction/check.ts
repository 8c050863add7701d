import { MAX_SAT, ok, outPointKey, type Result, refuse } from '../../kernel/index.ts'
import { strippedSize } from './encode.ts'
import { isCoinbase, isNullOutPoint, type Transaction } from './model.ts'
import type { TransactionRefusal } from './scan.ts'

/** Serialised without witness, four times this is the weight limit of a block. */
const MAX_STRIPPED_SIZE = 1_000_000

/**
 * The consensus rules that need nothing but the transaction itself. The reason in the details is the word that Bitcoin
 * Core uses (`bad-txns-vin-empty`, ...). Source: Bitcoin Core, CheckTransaction.
 */
export function checkTransaction(
  transaction: Transaction,
): Result<Transaction, TransactionRefusal> {
  const reason = brokenRule(transaction)
  if (reason === undefined) return ok(transaction)
  return refuse('CHAIN_TRANSACTION_INVALID', `the transaction breaks a rule: ${reason}`, {
    details: { reason },
  })
}

function brokenRule(transaction: Transaction): string | undefined {
  const { inputs, outputs } = transaction
  if (inputs.length === 0) return 'bad-txns-vin-empty'
  if (outputs.length === 0) return 'bad-txns-vout-empty'
  if (strippedSize(transaction) > MAX_STRIPPED_SIZE) return 'bad-txns-oversize'
  let total = 0n
  for (const { amount } of outputs) total += amount
  if (total > MAX_SAT) return 'bad-txns-txouttotal-toolarge'
  if (new Set(inputs.map(outPointKey)).size !== inputs.length) return 'bad-txns-inputs-duplicate'
  if (isCoinbase(transaction)) {
    const length = inputs[0]?.script.length ?? 0
    return length < 2 || length > 100 ? 'bad-cb-length' : undefined
  }
  return inputs.some(isNullOutPoint) ? 'bad-txns-prevout-null' : undefined
}
