import {
  type BlockHash,
  equalBytes,
  type Network,
  ok,
  type Result,
  toReversedHex,
} from '../../kernel/index.ts'
import {
  decodeAt,
  doubleSha256,
  isCoinbase,
  scriptAt,
  type TransactionScan,
} from '../transaction/index.ts'
import {
  type BlockRefusal,
  blockHashOf,
  decodeHeader,
  hasProofOfWork,
  refuseBlock,
} from './header.ts'
import { merkleRootOf, witnessRootOf } from './merkle.ts'

export interface BlockChecks {
  /** What the caller asked for; another block is refused. */
  readonly hash?: BlockHash
  /** Refuses work that is too easy for this network. Without it the claimed work counts. */
  readonly network?: Network
}

/** OP_RETURN, a push of 36 bytes, and the tag of the witness commitment (BIP 141). */
const COMMITMENT = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed)

/**
 * Proves that the transactions of a scanned block are those of its header: proof of work, merkle root, coinbase first and
 * only there, and the witness commitment. Hashes the whole block twice where it has witnesses. Scripts, amounts and the rules of
 * the chain are the node's business.
 */
export function checkBlock(
  scan: TransactionScan,
  checks: BlockChecks = {},
): Result<BlockHash, BlockRefusal> {
  const header = decodeHeader(scan.bytes)
  const hash = blockHashOf(scan.bytes)
  if (!header.ok || hash === undefined) return refuseBlock('is shorter than a header')
  const no = (fault: string) => refuseBlock(fault, { hash })
  if (checks.hash !== undefined && checks.hash !== hash) return no('is not the one asked for')
  if (!hasProofOfWork(hash, header.value.bits, checks.network)) return no('lacks its proof of work')
  if (!isCoinbase(decodeAt(scan, 0))) return no('does not begin with a coinbase')
  for (let i = scan.firstInput[1] as number; i < scan.inputCount; i++) {
    if (isNull(scan, i)) return no('has a second coinbase')
  }
  const merkle = merkleRootOf(scan)
  if (merkle.isAmbiguous) return no('repeats a transaction at its end')
  if (toReversedHex(merkle.root) !== header.value.merkleRoot) {
    return no('has other transactions than its header says')
  }
  return hasTrueWitness(scan) ? ok(hash) : no('has other witnesses than its coinbase says')
}

function isNull(scan: TransactionScan, i: number): boolean {
  const at = scan.outpoint[i] as number
  const { bytes } = scan
  for (let offset = 32; offset < 36; offset++) if (bytes[at + offset] !== 0xff) return false
  for (let offset = 0; offset < 32; offset++) if (bytes[at + offset] !== 0) return false
  return true
}

/** The 32 bytes that the coinbase of a scanned block commits to; undefined when there are none. The last one counts. */
export function witnessCommitment(scan: TransactionScan): Uint8Array | undefined {
  for (let o = (scan.firstOutput[1] as number) - 1; o >= 0; o--) {
    const script = scriptAt(scan, o)
    if (script.length >= 38 && equalBytes(script.subarray(0, 6), COMMITMENT)) {
      return script.slice(6, 38)
    }
  }
  return undefined
}

function hasTrueWitness(scan: TransactionScan): boolean {
  const commitment = witnessCommitment(scan)
  const coinbase = decodeAt(scan, 0)
  const stack = coinbase.inputs[0]?.witness ?? []
  if (commitment === undefined) return !hasAnyWitness(scan)
  // Before segwit was active the same bytes meant nothing, and no block had a witness then.
  if (stack.length === 0) return !hasAnyWitness(scan)
  const [reserved] = stack
  if (stack.length !== 1 || reserved?.length !== 32) return false
  const preimage = new Uint8Array(64)
  preimage.set(witnessRootOf(scan).root, 0)
  preimage.set(reserved, 32)
  return equalBytes(doubleSha256(preimage), commitment)
}

function hasAnyWitness(scan: TransactionScan): boolean {
  for (let t = 0; t < scan.transactionCount; t++) {
    if ((scan.end[t] as number) - (scan.body[t] as number) > 4) return true
  }
  return false
}
