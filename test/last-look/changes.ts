import { type LookReason, lastLook } from '@kaccy/bitcoin/protocol/last-look'
import {
  decodeTransaction,
  type Transaction,
  type TransactionInput,
} from '@kaccy/bitcoin/protocol/transaction'
import { expect } from 'vitest'
import { type Honest, honest, KINDS, type Kind } from './honest.ts'

export const shape = (kind: Kind) => ({ kind, coins: 2, payments: 2, hasChange: true, salt: 31 })
export const samples = new Map(KINDS.map((kind) => [kind, honest(shape(kind))]))
export const sample = (kind: Kind): Honest => samples.get(kind) ?? expect.unreachable(kind)

/** The faults that the look reports; none when it gives a token. */
export const reasons = (bytes: Uint8Array, { expectation }: Honest): readonly LookReason[] => {
  const looked = lastLook(bytes, expectation)
  return looked.ok ? [] : looked.error.map(({ reason }) => reason)
}
export const decoded = (bytes: Uint8Array): Transaction => {
  const transaction = decodeTransaction(bytes)
  return transaction.ok ? transaction.value : expect.unreachable(transaction.error.message)
}

export type Change = (tx: Transaction) => Transaction
export const input =
  (at: number, more: (input: TransactionInput) => Partial<TransactionInput>): Change =>
  (tx) => ({
    ...tx,
    inputs: tx.inputs.map((each, i) => (i === at ? { ...each, ...more(each) } : each)),
  })
export const witness = (more: (items: readonly Uint8Array[]) => readonly Uint8Array[]): Change =>
  input(0, (each) => ({ witness: more(each.witness) }))
export const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
