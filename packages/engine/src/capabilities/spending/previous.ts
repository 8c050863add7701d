import type { Refusal, Txid } from '../../kernel/index.ts'
import type { Transaction } from '../../protocol/transaction/index.ts'

/** Transactions by id, each checked by its hash. */
export type PreviousTransactions = ReadonlyMap<Txid, Transaction>
export type PreviousRefusal = Refusal<'PREVIOUS_MISSING'>
