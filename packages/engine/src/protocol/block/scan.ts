import { ok, type Result } from '../../kernel/index.ts'
import {
  compactSize,
  compactSizeLength,
  MAX_SERIALIZED_SIZE,
  TransactionScan,
} from '../transaction/index.ts'
import { type BlockRefusal, HEADER_LENGTH, refuseBlock } from './header.ts'

const MAX_BLOCK_WEIGHT = 4_000_000
/** The smallest transaction that can be written. */
const LEAST_TRANSACTION = 10

/**
 * Scans a raw block in one pass: where every spent outpoint and every output script stands, without building an object.
 * Any bytes that are not exactly one block of at most 4,000,000 weight units are refused; then the scan is empty.
 * Hashes are not computed: `checkBlock` does that, `txidAt` for single transactions.
 * @param into a scan to use again. It keeps a reference to `bytes` until its next use.
 */
export function scanBlock(
  bytes: Uint8Array,
  into: TransactionScan = new TransactionScan(4_000),
): Result<TransactionScan, BlockRefusal> {
  into.reset(bytes)
  const no = (fault: string) => {
    const transaction = into.transactionCount
    into.reset(new Uint8Array(0))
    return refuseBlock(fault, { bytes: bytes.length, transaction })
  }
  if (bytes.length > MAX_SERIALIZED_SIZE) return no('is larger than any block')
  if (bytes.length < HEADER_LENGTH) return no('is shorter than a header')
  const count = compactSize(bytes, HEADER_LENGTH)
  if (count < 1) return no('has no count of transactions')
  let at = HEADER_LENGTH + compactSizeLength(count)
  if (count > (bytes.length - at) / LEAST_TRANSACTION)
    return no('has fewer transactions than it says')
  for (let t = 0; t < count; t++) {
    at = into.step(at)
    if (at < 0) return no(`has a transaction that ${into.fault}`)
  }
  if (at !== bytes.length) return no('has bytes behind its end')
  if (blockWeight(into) > MAX_BLOCK_WEIGHT) return no('is heavier than 4,000,000 weight units')
  return ok(into)
}

/** Weight units of a scanned block (BIP 141). */
export function blockWeight(scan: TransactionScan): number {
  let weight = 4 * (HEADER_LENGTH + compactSizeLength(scan.transactionCount))
  const { start, body, end } = scan
  for (let t = 0; t < scan.transactionCount; t++) {
    const behind = end[t] as number
    const total = behind - (start[t] as number)
    // Marker, flag and witness count once, everything else four times.
    const witness = behind - (body[t] as number) - 4
    weight += 4 * total - (witness > 0 ? 3 * (witness + 2) : 0)
  }
  return weight
}
