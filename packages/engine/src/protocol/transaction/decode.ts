import {
  type OutPoint,
  ok,
  type Result,
  type Sat,
  sat,
  type Txid,
  toReversedHex,
} from '../../kernel/index.ts'
import { compactSize, compactSizeLength, uint32, uint64 } from './compact-size.ts'
import type { Transaction, TransactionInput, TransactionOutput } from './model.ts'
import { entry, scanTransaction, type TransactionRefusal, type TransactionScan } from './scan.ts'

/**
 * Decodes one serialised transaction with or without witness (BIP 144). Refuses what Bitcoin Core cannot
 * decode either, bytes behind the end, and amounts above 21 million BTC. It does not check the rules that a transaction
 * has to obey: `checkTransaction` does. Copies everything: the bytes may be used again afterwards.
 */
export function decodeTransaction(bytes: Uint8Array): Result<Transaction, TransactionRefusal> {
  const scan = scanTransaction(bytes)
  return scan.ok ? ok(decodeAt(scan.value, 0)) : scan
}

/** Decodes transaction `t` of a scan. @throws AssertionError when the scan has no such transaction. */
export function decodeAt(scan: TransactionScan, t: number): Transaction {
  const { bytes } = scan
  const end = entry(scan.end, t, scan.transactionCount)
  const stacks = witnesses(scan, t)
  const inputs: TransactionInput[] = []
  const first = scan.firstInput[t] as number
  for (let i = first; i < (scan.firstInput[t + 1] as number); i++) {
    const { txid, vout } = outPointAt(scan, i)
    const at = (scan.outpoint[i] as number) + 36
    const length = compactSize(bytes, at)
    const from = at + compactSizeLength(length)
    const script = bytes.slice(from, from + length)
    const sequence = uint32(bytes, from + length)
    inputs.push({ txid, vout, script, sequence, witness: stacks[i - first] ?? [] })
  }
  const outputs: TransactionOutput[] = []
  for (let o = scan.firstOutput[t] as number; o < (scan.firstOutput[t + 1] as number); o++) {
    outputs.push({ amount: amountAt(scan, o), script: scriptAt(scan, o).slice() })
  }
  const start = scan.start[t] as number
  return { version: uint32(bytes, start), inputs, outputs, lockTime: uint32(bytes, end - 4) }
}

function witnesses(scan: TransactionScan, t: number): Uint8Array[][] {
  const stacks: Uint8Array[][] = []
  if (!hasWitnessAt(scan, t)) return stacks
  const { bytes } = scan
  let at = scan.body[t] as number
  const inputs = (scan.firstInput[t + 1] as number) - (scan.firstInput[t] as number)
  for (let i = 0; i < inputs; i++) {
    const count = compactSize(bytes, at)
    at += compactSizeLength(count)
    const stack: Uint8Array[] = []
    for (let item = 0; item < count; item++) {
      const length = compactSize(bytes, at)
      at += compactSizeLength(length)
      stack.push(bytes.slice(at, at + length))
      at += length
    }
    stacks.push(stack)
  }
  return stacks
}

/** True when transaction `t` was serialised with a witness. */
export const hasWitnessAt = (scan: TransactionScan, t: number): boolean =>
  entry(scan.end, t, scan.transactionCount) - (scan.body[t] as number) > 4

/** The outpoint that input `i` of the scan spends. */
export function outPointAt(scan: TransactionScan, i: number): OutPoint {
  const at = entry(scan.outpoint, i, scan.inputCount)
  const txid = toReversedHex(scan.bytes.subarray(at, at + 32)) as Txid
  return { txid, vout: uint32(scan.bytes, at + 32) }
}

/** The script of output `o` of the scan: a view of the scanned bytes, not a copy. */
export function scriptAt(scan: TransactionScan, o: number): Uint8Array {
  const from = entry(scan.script, o, scan.outputCount)
  return scan.bytes.subarray(from, from + (scan.scriptLength[o] as number))
}

/** The value of output `o` of the scan in satoshi. */
export function amountAt(scan: TransactionScan, o: number): Sat {
  const from = entry(scan.script, o, scan.outputCount)
  const length = scan.scriptLength[o] as number
  return sat(BigInt(uint64(scan.bytes, from - compactSizeLength(length) - 8)))
}

/** The transaction that output `o` of the scan belongs to. */
export function transactionOfOutput(scan: TransactionScan, o: number): number {
  entry(scan.script, o, scan.outputCount)
  return lastNotAbove(scan.firstOutput, scan.transactionCount, o)
}

/** The transaction that input `i` of the scan belongs to. */
export function transactionOfInput(scan: TransactionScan, i: number): number {
  entry(scan.outpoint, i, scan.inputCount)
  return lastNotAbove(scan.firstInput, scan.transactionCount, i)
}

function lastNotAbove(column: Uint32Array, count: number, value: number): number {
  let low = 0
  let high = count - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if ((column[middle] as number) <= value) low = middle
    else high = middle - 1
  }
  return low
}
