import type { Transaction } from '../chain/transaction.ts'

/** What Core's allocator takes for `size` bytes on a 64-bit machine. Source: Core's MallocUsage. */
export const allocated = (size: number): number => (size === 0 ? 0 : ((size + 31) >>> 4) << 4)
/** One node of a tree map that holds `size` bytes. */
const node = (size: number): number => allocated(32 + size)

/** Core's own structures on a 64-bit machine, in bytes. */
const ENTRY = allocated(272 + 15 * 8)
const SPENT = node(16)
const DELTA = node(40)
const LINK = node(8)
const TRANSACTION = allocated(128) + allocated(24)
const INPUT = 104
const OUTPUT = 40
/** Scripts up to this size stand inside their input or output. */
const INLINE_SCRIPT = 28
const script = (size: number): number => (size > INLINE_SCRIPT ? allocated(size) : 0)

/** Bytes of memory of one transaction in Core. */
export function transactionUsage({ inputs, outputs }: Transaction): number {
  let bytes = TRANSACTION + allocated(inputs.length * INPUT) + allocated(outputs.length * OUTPUT)
  for (const input of inputs) {
    bytes += script(input.script.length) + allocated(input.witness.length * 24)
    for (const item of input.witness) bytes += allocated(item.length)
  }
  for (const output of outputs) bytes += script(output.script.length)
  return bytes
}
/** Bytes of memory of a whole mempool in Core. `links`: pairs of parent and child. `slots`: room in the list of transactions. */
export const poolUsage = (pool: {
  readonly entries: number
  readonly spent: number
  readonly deltas: number
  readonly links: number
  readonly slots: number
  readonly transactions: number
}): number =>
  pool.entries * ENTRY +
  pool.spent * SPENT +
  pool.deltas * DELTA +
  pool.links * 2 * LINK +
  allocated(pool.slots * 16) +
  pool.transactions
