import { sha256 } from '@noble/hashes/sha2.js'
import {
  type Sha256,
  type Txid,
  toReversedHex,
  type Weight,
  type Wtxid,
  weight,
} from '../../kernel/index.ts'
import { hasWitnessAt } from './decode.ts'
import { entry, type TransactionScan } from './scan.ts'

/** Hash of transaction `t` of a scan in wire order, without its witness: the only hashing that a scan ever causes. */
export function txidBytesAt(scan: TransactionScan, t: number, hash: Sha256 = sha256): Uint8Array {
  const end = entry(scan.end, t, scan.transactionCount)
  const start = scan.start[t] as number
  const { bytes } = scan
  if (!hasWitnessAt(scan, t)) return hash(hash(bytes.subarray(start, end)))
  const body = bytes.subarray(start + 6, scan.body[t])
  const stripped = new Uint8Array(body.length + 8)
  stripped.set(bytes.subarray(start, start + 4))
  stripped.set(body, 4)
  stripped.set(bytes.subarray(end - 4, end), body.length + 4)
  return hash(hash(stripped))
}

/** As `txidBytesAt`, with the witness. */
export function wtxidBytesAt(scan: TransactionScan, t: number, hash: Sha256 = sha256): Uint8Array {
  const end = entry(scan.end, t, scan.transactionCount)
  return hash(hash(scan.bytes.subarray(scan.start[t], end)))
}

export const txidAt = (scan: TransactionScan, t: number): Txid =>
  toReversedHex(txidBytesAt(scan, t)) as Txid
export const wtxidAt = (scan: TransactionScan, t: number): Wtxid =>
  toReversedHex(wtxidBytesAt(scan, t)) as Wtxid

/** Weight units of transaction `t` of a scan (BIP 141). */
export function weightAt(scan: TransactionScan, t: number): Weight {
  const total = entry(scan.end, t, scan.transactionCount) - (scan.start[t] as number)
  if (!hasWitnessAt(scan, t)) return weight(4 * total)
  const stripped = (scan.body[t] as number) - (scan.start[t] as number) - 2 + 4
  return weight(3 * stripped + total)
}
